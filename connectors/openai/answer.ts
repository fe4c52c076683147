import { ProviderFailure, type ProviderResponse } from '../../src/connector/index.js';

/** For a 2xx without the fields OpenAI promises. What was asked for may have been done, and billed. */
export function unexpectedAnswer(
  { status }: ProviderResponse,
  wanted: string,
  { isAmbiguous }: { readonly isAmbiguous: boolean },
): ProviderFailure {
  return new ProviderFailure({
    category: 'PROVIDER',
    code: 'unexpected_answer',
    message: `OpenAI answered ${status} without ${wanted}.`,
    providerStatus: status,
    isAmbiguous,
  });
}
