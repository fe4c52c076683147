import type { ProviderResponse } from './context.js';
import { ProviderFailure, type ProviderFailureDetails } from './failure.js';

/** What {@link unexpectedAnswerOf} makes. `wanted` completes "answered 200 without …". */
export type UnexpectedAnswer = (
  response: Pick<ProviderResponse, 'status'>,
  wanted: string,
  options: { readonly isAmbiguous: boolean },
) => ProviderFailure;

/**
 * For a success without the fields that this provider promises: a proxy's page, a changed API. What was asked for may well
 * have been done, so a write that ends like this is ambiguous; a read is not.
 */
export function unexpectedAnswerOf(provider: string): UnexpectedAnswer {
  return ({ status }, wanted, { isAmbiguous }) =>
    new ProviderFailure({
      category: 'PROVIDER',
      code: 'unexpected_answer',
      message: `${provider} answered ${status} without ${wanted}.`,
      providerStatus: status,
      isAmbiguous,
    });
}

/** For what can't be asked of the provider in these words. Nothing was changed there. `code` is lower_snake. */
export function invalid(code: string, message: string): ProviderFailure {
  return new ProviderFailure({ category: 'INVALID', code, message });
}

/** Whether this is a provider's failure, and has these details. */
export function isProviderFailure(
  error: unknown,
  wanted: Partial<Pick<ProviderFailureDetails, 'category' | 'code' | 'providerStatus'>>,
): error is ProviderFailure {
  if (!(error instanceof ProviderFailure)) return false;
  const told = new Map<string, unknown>(Object.entries(error.details));
  return Object.entries(wanted).every(([name, value]) => told.get(name) === value);
}

/** The provider's own time as it answered, to the second. Undefined where it told none. RFC 9110, section 6.6.1. */
export function answeredAt({ headers }: Pick<ProviderResponse, 'headers'>): Date | undefined {
  const time = Date.parse(headers['date'] ?? '');
  return Number.isNaN(time) ? undefined : new Date(time);
}
