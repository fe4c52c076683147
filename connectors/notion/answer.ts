import { ProviderFailure, type ProviderResponse } from '../../src/connector/index.js';

/** For a 2xx without the fields Notion promises. What was asked for may well have been done. */
export function unexpectedAnswer(
  { status }: ProviderResponse,
  wanted: string,
  { isAmbiguous }: { readonly isAmbiguous: boolean },
): ProviderFailure {
  return new ProviderFailure({
    category: 'PROVIDER',
    code: 'unexpected_answer',
    message: `Notion answered ${status} without ${wanted}.`,
    providerStatus: status,
    isAmbiguous,
  });
}

/** For what can't be asked of Notion in these words; nothing was sent. */
export function invalid(code: string, message: string): ProviderFailure {
  return new ProviderFailure({ category: 'INVALID', code, message });
}
