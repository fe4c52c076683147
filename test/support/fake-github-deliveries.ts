import { randomUUID } from 'node:crypto';
import type { Clock } from '../../src/core/clock.js';
import { githubError } from './fake-github-answers.js';
import type { FakeAnswer, FakeRequest } from './fake-provider.js';
import { githubDelivery, post } from './github.js';

/** One attempt to deliver an event, as GitHub keeps it for three days. */
export interface FakeDelivery {
  readonly id: number;
  readonly guid: string;
  readonly hookId: number;
  readonly event: string;
  readonly payload: object;
  readonly at: Date;
  readonly isRedelivery: boolean;
  readonly status: number;
}

/** Where a delivery goes, when it goes. */
interface Destination {
  readonly id: number;
  readonly config: { readonly url?: string; readonly secret?: string };
}

export interface FakeDeliveries {
  /** Oldest first. */
  readonly all: readonly FakeDelivery[];
  /** Answers what the receiver answered; 502 without a request where the network shall fail. */
  send(to: Destination, event: string, payload: object, isLost?: boolean): Promise<number>;
  /** https://docs.github.com/rest/repos/webhooks#list-deliveries-for-a-repository-webhook */
  list(request: FakeRequest, hookId: number): FakeAnswer;
  /** https://docs.github.com/rest/repos/webhooks#redeliver-a-delivery-for-a-repository-webhook: done after the answer. */
  repeat(to: Destination, deliveryId: string): FakeAnswer;
  /** Settles when everything that was repeated has been answered. */
  settled(): Promise<void>;
}

const KEPT_MS = 3 * 86_400_000;

export function createDeliveries(clock: Clock): FakeDeliveries {
  const all: FakeDelivery[] = [];
  const underWay: Promise<unknown>[] = [];
  let lastId = 70_000;

  async function attempt(
    { id: hookId, config: { url = '', secret = '' } }: Destination,
    { event, payload, guid }: Pick<FakeDelivery, 'event' | 'payload' | 'guid'>,
    { isRedelivery = false, isLost = false },
  ): Promise<number> {
    const [id, at] = [++lastId, clock.now()];
    const signed = await githubDelivery(event, payload, secret, guid);
    const status = isLost ? 502 : (await post(url, signed)).status;
    all.push({ id, guid, hookId, event, payload, at, isRedelivery, status });
    return status;
  }

  const kept = (hookId: number) =>
    all.filter((one) => one.hookId === hookId && clock.now().getTime() - one.at.getTime() < KEPT_MS);

  return {
    all,
    send: (to, event, payload, isLost = false) =>
      attempt(to, { event, payload, guid: randomUUID() }, { isLost }),
    list({ path, query, headers }, hookId) {
      const [size, cursor] = [Number(query['per_page'] ?? 30), query['cursor']?.slice(3)];
      // A cursor names the delivery that its page begins with, so that new ones move nothing.
      const found = kept(hookId)
        .toReversed()
        .filter(({ id }) => !cursor || id <= Number(cursor));
      const next =
        found[size] && new URLSearchParams({ ...query, cursor: `v1_${found[size].id}` }).toString();
      return {
        status: 200,
        headers: next ? { link: `<http://${headers['host'] ?? ''}${path}?${next}>; rel="next"` } : {},
        body: found.slice(0, size).map(toDelivery),
      };
    },
    repeat(to, deliveryId) {
      const known = kept(to.id).find(({ id }) => String(id) === deliveryId);
      if (!known) return githubError(404);
      underWay.push(attempt(to, known, { isRedelivery: true }));
      return { status: 202, body: {} };
    },
    async settled() {
      await Promise.all(underWay);
    },
  };
}

function toDelivery({ id, guid, event, at, isRedelivery, status, payload }: FakeDelivery): object {
  return {
    id,
    guid,
    delivered_at: at.toISOString(),
    redelivery: isRedelivery,
    duration: 0.3,
    status: status === 202 || status === 200 ? 'OK' : 'failed to connect',
    status_code: status,
    event,
    action: (payload as { action?: string }).action ?? null,
    installation_id: null,
    repository_id: 1,
  };
}
