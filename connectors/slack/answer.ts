import { ProviderFailure, type ProviderResponse } from '../../src/connector/index.js';

/** For an `ok` without the fields Slack promises. What was asked for may well have been done. */
export function unexpectedAnswer(
  { status }: ProviderResponse,
  wanted: string,
  { isAmbiguous }: { readonly isAmbiguous: boolean },
): ProviderFailure {
  return new ProviderFailure({
    category: 'PROVIDER',
    code: 'unexpected_answer',
    message: `Slack answered ${status} without ${wanted}.`,
    providerStatus: status,
    isAmbiguous,
  });
}

/** For what can't be asked of Slack in these words; nothing was sent. */
export function invalid(code: string, message: string): ProviderFailure {
  return new ProviderFailure({ category: 'INVALID', code, message });
}
