import { z } from 'zod';
import { TributaryError } from '../../src/core/errors.js';

/**
 * Where a router wants the events of a subscription, as it says in `extensions.subscription` of the request that begins it:
 * https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/callback-protocol
 */
export interface CallbackRequest {
  readonly url: URL;
  /** The router's id of the subscription. */
  readonly id: string;
  /** Repeated in each message, so that the router knows whom it hears. */
  readonly verifier: string;
  /** How often the router wants to hear something; 0: never. */
  readonly heartbeatMs: number;
}

const schema = z.object({
  callbackUrl: z.url({ protocol: /^https?$/ }),
  subscriptionId: z.string().min(1).max(200),
  verifier: z.string().min(1).max(1_000),
  heartbeatIntervalMs: z
    .int()
    .max(24 * 3_600_000)
    .refine((value) => value === 0 || value >= 100, 'must be 0, or 100 and more')
    .default(5_000),
});

/**
 * Throws INVALID_INPUT for what is no such request, and CALLBACK_REFUSED for an address below none of `allowed`: it comes
 * from whoever asks, and could be one that only this server reaches.
 */
export function toCallbackRequest(extension: unknown, allowed: readonly string[]): CallbackRequest {
  const { success, data, error } = schema.safeParse(extension);
  if (!success) {
    const problems = error.issues.map(({ path, message }) => ({
      field: ['extensions', 'subscription', ...path].join('.'),
      problem: message,
    }));
    throw new TributaryError('INVALID_INPUT', 'This is no subscription by callback.', { problems });
  }
  const url = new URL(data.callbackUrl);
  if (!allowed.some((prefix) => isBelow(url, new URL(prefix)))) {
    throw new TributaryError(
      'CALLBACK_REFUSED',
      'Subscriptions by callback go only to addresses that the operator has named: SUBSCRIPTION_CALLBACK_URLS.',
    );
  }
  const { subscriptionId: id, verifier, heartbeatIntervalMs: heartbeatMs } = data;
  return { url, id, verifier, heartbeatMs };
}

/** Below the prefix, and not only to us: what is encoded in a path, others may decode and find `..` or `/` in it. */
function isBelow(url: URL, prefix: URL): boolean {
  const base = prefix.pathname.replace(/\/$/, '');
  const rest = url.pathname.slice(base.length);
  return (
    url.origin === prefix.origin &&
    url.username + url.password + url.search + url.hash === '' &&
    url.pathname.startsWith(base) &&
    (rest === '' || rest.startsWith('/')) &&
    !/[%\\]/.test(rest)
  );
}
