import { ProviderFailure, type ProviderResponse } from '../../src/connector/index.js';

/**
 * For a 2xx without the fields Jira promises: a proxy's page, a changed API. What was asked for may well have been
 * done, so a write that ends like this is ambiguous.
 */
export function unexpectedAnswer(
  response: ProviderResponse,
  wanted: string,
  { isAmbiguous }: { readonly isAmbiguous: boolean },
): ProviderFailure {
  return new ProviderFailure({
    category: 'PROVIDER',
    code: 'unexpected_answer',
    message: `Jira answered ${response.status} without ${wanted}.`,
    providerStatus: response.status,
    isAmbiguous,
  });
}

/** For what Jira would not do, found out before it was asked. */
export function impossible(code: string, message: string): ProviderFailure {
  return new ProviderFailure({ category: 'INVALID', code, message, isAmbiguous: false });
}
