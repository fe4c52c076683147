import { ProviderFailure, type ProviderResponse } from '../../src/connector/index.js';

/** For a 2xx without what PagerDuty promises. What was asked for may have been done: a write that ends like this is ambiguous. */
export function unexpectedAnswer(
  { status }: Pick<ProviderResponse, 'status'>,
  wanted: string,
  { isAmbiguous }: { readonly isAmbiguous: boolean },
): ProviderFailure {
  return new ProviderFailure({
    category: 'PROVIDER',
    code: 'unexpected_answer',
    message: `PagerDuty answered ${status} without ${wanted}.`,
    providerStatus: status,
    isAmbiguous,
  });
}

/** Whether this is PagerDuty's word for something, by the code that the manifest's rules give it. */
export function isFailure(error: unknown, code: string): error is ProviderFailure {
  return error instanceof ProviderFailure && error.details.code === code;
}
