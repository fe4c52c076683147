import { DelegateBackoff, handleWhen, retry } from 'cockatiel';
import { ProviderFailure, type ProviderRequest } from '../connector/index.js';
import type { Clock } from '../core/clock.js';
import { Refusal } from './refusal.js';

const MAX_RETRIES = 2;
/** No try begins later than this after the first: who wants to wait longer leaves it to a job. */
const WITHIN_MS = 2_000;
const FIRST_WAIT_MS = 200;
/** Timers and clocks count in milliseconds and may differ by one: told to come back then, we never come before. */
const GRAIN_MS = 5;

export interface RetryDeps {
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly onRetry: (failure: ProviderFailure) => void;
}

/** Sends again what is worth it and can do no harm; what is not, and what takes longer, is thrown with its retryAt. */
export async function sendWithRetries<T>(
  { clock, random, onRetry }: RetryDeps,
  request: Pick<ProviderRequest, 'method' | 'isRepeatable'>,
  send: () => Promise<T>,
): Promise<T> {
  const giveUpAt = performance.now() + WITHIN_MS;
  const left = (): number => Math.max(0, giveUpAt - performance.now());
  let doubted: ProviderFailure | undefined;

  /** Told a time, exactly that long; else anything up to a bound that doubles: "full jitter". */
  function waitBefore({ details }: ProviderFailure, attempt: number): number {
    if (!details.retryAt) return Math.min(random() * FIRST_WAIT_MS * 2 ** (attempt - 1), left());
    return Math.max(0, details.retryAt.getTime() - clock.now().getTime()) + GRAIN_MS;
  }

  function isInTime(failure: ProviderFailure): boolean {
    return left() > 0 && waitBefore(failure, 1) <= left();
  }

  const policy = retry(
    handleWhen((error) => error instanceof ProviderFailure && mayRepeat(error, request) && isInTime(error)),
    {
      maxAttempts: MAX_RETRIES,
      backoff: new DelegateBackoff(({ result, attempt }) => {
        const failure = (result as { readonly error: ProviderFailure }).error;
        onRetry(failure);
        if (failure.details.isAmbiguous) doubted = failure;
        return waitBefore(failure, attempt);
      }),
    },
  );
  try {
    return await policy.execute(send);
  } catch (error) {
    throw withDoubt(error, doubted);
  }
}

/** What an earlier try may have done is not undone by how the last one ended. */
function withDoubt(error: unknown, doubted: ProviderFailure | undefined): unknown {
  if (!doubted || !(error instanceof ProviderFailure) || error.details.isAmbiguous) return error;
  if (error instanceof Refusal) return doubted;
  return new ProviderFailure({ ...error.details, isAmbiguous: true }, { cause: error });
}

/** Whether another try could end better, and can't have a second effect. */
function mayRepeat(
  failure: ProviderFailure,
  { method, isRepeatable = method === 'GET' }: Pick<ProviderRequest, 'method' | 'isRepeatable'>,
): boolean {
  // Nothing was sent, and only a full window or a pause is over by itself.
  if (failure instanceof Refusal) return failure.guard === 'limit' || failure.guard === 'pause';
  return isRepeatable && isPassing(failure);
}

/** By class: a limit, the provider's own trouble, the line. What was refused for what it is stays refused. */
function isPassing({ details: { category, providerStatus } }: ProviderFailure): boolean {
  if (category === 'RATE_LIMIT' || category === 'NETWORK') return true;
  // Without a status, or with a good one, it is an answer that can't be read: it would be the same again.
  return category === 'PROVIDER' && providerStatus !== undefined && providerStatus >= 300;
}
