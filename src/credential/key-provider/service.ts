import { setTimeout as pause } from 'node:timers/promises';
import { DATA_KEY_BYTES, KeyProviderError, type KeyProviderErrorKind } from './key-provider.js';

export type Operation = 'wrap' | 'unwrap';

/** What is to be made of a failure: its kind, and a sentence that tells the operator what to do. */
export type Verdict = readonly [kind: KeyProviderErrorKind, advice: string];

/** A key service as {@link callService} knows it. */
export interface KeyService {
  /** How every message begins: `AWS KMS`. */
  readonly title: string;
  /** For all attempts together. Default: 5,000. */
  readonly deadlineMs?: number | undefined;
  /** Undefined for what is not the service's doing: that is a mistake in this program, and thrown as it is. */
  judge(error: unknown, operation: Operation): Verdict | undefined;
}

const DEADLINE_MS = 5_000;
const MAX_ATTEMPTS = 3;
/** Of the deadline: a first attempt that hangs leaves time for a second and a third. */
const ATTEMPT_SHARE = 0.4;
const FIRST_PAUSE_MS = 100;

/**
 * Calls a key service: at most three attempts, and an end at the deadline whatever the client or its search for
 * credentials does. The clients' own retries are off, because they differ in what they count and wait for, and
 * Google's reports a call that was throttled to the end as one that ran out of time. Throws {@link KeyProviderError}.
 */
export async function callService<T>(
  service: KeyService,
  operation: Operation,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { deadlineMs = DEADLINE_MS } = service;
  const deadline = AbortSignal.timeout(deadlineMs);
  for (let attempt = 1; ; attempt += 1) {
    const signal = AbortSignal.any([deadline, AbortSignal.timeout(deadlineMs * ATTEMPT_SHARE)]);
    try {
      return await Promise.race([call(signal), rejectOnAbort(signal)]);
    } catch (error) {
      const failure = signal.aborted ? noAnswer(service, error) : toFailure(service, error, operation);
      if (!passesByItself(failure) || attempt === MAX_ATTEMPTS || deadline.aborted) throw failure;
    }
    // Half of it by chance: processes that were throttled together should not come back together.
    await pause(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random() / 2));
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const give = () => reject(signal.reason as Error);
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
  });
}

function noAnswer({ title, deadlineMs = DEADLINE_MS }: KeyService, cause: unknown): KeyProviderError {
  const message = `${title} gave no answer in time (${deadlineMs} ms for all attempts). Look at its status and at the network in between.`;
  return new KeyProviderError('unavailable', message, { cause });
}

function toFailure(service: KeyService, error: unknown, operation: Operation): unknown {
  if (error instanceof KeyProviderError) return error;
  const verdict = service.judge(error, operation);
  if (!verdict) return error;
  const [kind, advice] = verdict;
  return new KeyProviderError(kind, `${service.title}: ${advice} (${reasonOf(error)})`, { cause: error });
}

/** Some answers are whole pages. */
const MAX_REASON_CHARS = 300;

function reasonOf(error: unknown): string {
  const { name, message } = error as Error;
  const text = name === 'Error' ? message : `${name}: ${message}`;
  return text.length > MAX_REASON_CHARS ? `${text.slice(0, MAX_REASON_CHARS)}…` : text;
}

function passesByItself(failure: unknown): boolean {
  return failure instanceof KeyProviderError && /^(unavailable|throttled)$/.test(failure.kind);
}

/** An answer of success without what it should bring: something in between answers in the service's place. */
export function notAnAnswer({ title }: KeyService): KeyProviderError {
  return new KeyProviderError(
    'unavailable',
    `${title} answered something that its API does not have. Check the endpoint, and what stands in between.`,
  );
}

export function requireDataKey({ title }: KeyService, key: Buffer): Buffer {
  if (key.length === DATA_KEY_BYTES) return key;
  const message = `${title}: what was unwrapped is not a data key of ${DATA_KEY_BYTES} bytes.`;
  throw new KeyProviderError('unreadable', message);
}

/**
 * A key's id comes from the database. Only configured keys are asked, so that nobody who can write there can have a
 * key of their own used, or our credentials sent to a place of theirs.
 */
export function requireConfigured(
  { title }: KeyService,
  keyId: string,
  configured: readonly string[],
  variable: string,
): string {
  const known = configured.find((key) => key === keyId);
  if (known !== undefined) return known;
  const message = `${title}: a data key is wrapped by ${keyId}, which is not configured. Set ${variable} to it, so that it can be unwrapped.`;
  throw new KeyProviderError('missing', message);
}

export const UNREADABLE =
  'it was not wrapped by this key for this tenant and version. The row was altered or moved: restore it from a backup.';
