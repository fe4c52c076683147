import { ProviderFailure, type ProviderResponse } from '../../src/connector/index.js';

/**
 * For a 2xx without the fields GitLab promises: a proxy's page, a changed API. What was asked for may well have been
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
    message: `GitLab answered ${response.status} without ${wanted}.`,
    providerStatus: response.status,
    isAmbiguous,
  });
}

/** For what can't be asked of GitLab in these words; nothing was sent. */
export function invalid(code: string, message: string): ProviderFailure {
  return new ProviderFailure({ category: 'INVALID', code, message });
}
