import { createHmac, randomBytes } from 'node:crypto';
import { listAt, textAt } from '../../src/connector/index.js';
import type { HookAtProvider } from '../conformance/subject.js';
import type { FakeAnswer, FakeProvider, FakeRequest } from './fake-provider.js';

interface Subscription {
  readonly id: string;
  readonly url: string;
  readonly secret: string;
  readonly filter: unknown;
  events: readonly string[];
  active: boolean;
}

export interface FakeSubscriptions {
  /** Oldest first. */
  readonly all: readonly Subscription[];
  hooks(): readonly HookAtProvider[];
  /** A person takes all of them away. */
  clear(): void;
  /** Sends an event to every active one, signed by its own secret, and answers the statuses. */
  deliver(event: object): Promise<readonly number[]>;
}

type Handle = (request: FakeRequest, params: Readonly<Record<string, string>>) => FakeAnswer;

/** Webhook subscriptions as https://github.com/PagerDuty/api-schema describes them: the secret is shown by POST alone. */
export function addSubscriptions(
  provider: FakeProvider,
  on: (route: string, handle: Handle) => void,
  error: (status: number) => FakeAnswer,
): FakeSubscriptions {
  const all: Subscription[] = [];
  let made = 0;

  on('POST /webhook_subscriptions', ({ body }) => {
    const [url, filter] = [textAt(body, 'webhook_subscription', 'delivery_method', 'url'), filterOf(body)];
    const events = eventsOf(body);
    if (!url || !filter || events.length === 0) return error(400);
    provider.addEffect('webhook');
    const id = `PW${++made}`;
    const subscription = { id, url, secret: randomBytes(32).toString('hex'), filter, events, active: true };
    all.push(subscription);
    return { status: 201, body: shown(subscription, subscription.secret) };
  });
  on('GET /webhook_subscriptions', ({ query }) => {
    const [limit, offset] = [Number(query['limit'] ?? 25), Number(query['offset'] ?? 0)];
    const page = all.slice(offset, offset + limit).map((one) => shown(one).webhook_subscription);
    const more = offset + limit < all.length;
    return { status: 200, body: { webhook_subscriptions: page, limit, offset, total: null, more } };
  });
  on('PUT /webhook_subscriptions/{id}', ({ body }, { id }) => {
    const subscription = all.find((one) => one.id === id);
    if (!subscription) return error(404);
    // "This operation does not support updating the delivery_method."
    if (textAt(body, 'webhook_subscription', 'delivery_method', 'url')) return error(400);
    subscription.events = eventsOf(body);
    subscription.active = true;
    return { status: 200, body: shown(subscription) };
  });
  on('DELETE /webhook_subscriptions/{id}', (_, { id }) => {
    const index = all.findIndex((one) => one.id === id);
    if (index === -1) return error(404);
    all.splice(index, 1);
    return { status: 204 };
  });

  return {
    all,
    hooks: () => all.map(({ id, url, secret, events }) => ({ id, url, secret, events })),
    clear: () => void all.splice(0),
    deliver: (event) => Promise.all(all.filter(({ active }) => active).map((one) => post(one, { event }))),
  };
}

async function post({ url, secret }: Subscription, event: object): Promise<number> {
  const body = JSON.stringify(event);
  const digest = createHmac('sha256', secret).update(body).digest('hex');
  const headers = { 'content-type': 'application/json', 'x-pagerduty-signature': `v1=${digest}` };
  return (await fetch(url, { method: 'POST', headers, body })).status;
}

function filterOf(body: unknown): object | undefined {
  const [type, id] = ['type', 'id'].map((field) => textAt(body, 'webhook_subscription', 'filter', field));
  if (type === 'account_reference' && !id) return { type };
  return (type === 'service_reference' || type === 'team_reference') && id ? { type, id } : undefined;
}

const eventsOf = (body: unknown): string[] =>
  listAt(body, 'webhook_subscription', 'events').filter((name) => typeof name === 'string');

function shown({ id, url, filter, events, active }: Subscription, secret: string | null = null) {
  const method = { type: 'http_delivery_method', url, custom_headers: [], temporarily_disabled: false };
  return {
    webhook_subscription: {
      id,
      type: 'webhook_subscription',
      active,
      description: 'Tributary',
      delivery_method: { ...method, secret },
      events,
      filter,
    },
  };
}
