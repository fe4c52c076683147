import {
  type ProviderContext,
  type RegisteredWebhook,
  type WantedWebhook,
  type WebhookRegistrar,
  at,
  compact,
  invalid,
  isProviderFailure,
  textAt,
} from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';

const SUBSCRIPTIONS = '/webhook_subscriptions';
const PAGE_SIZE = 100;
/** PagerDuty pages no further. */
const MOST = 10_000;
/** Sent when somebody tests a webhook; nobody subscribes to it. */
const NOT_SUBSCRIBED = new Set(['pagey.ping']);

/**
 * Subscriptions of webhooks v3. Neither URL nor secret of one can be changed, and the secret is told in the answer that
 * makes it alone: whatever has our URL and is not known by its id is replaced by another.
 * https://developer.pagerduty.com/api-reference/b3A6MjkyNDc4NA-create-a-webhook-subscription
 */
export const registration: WebhookRegistrar = {
  targetSchema: {
    type: 'object',
    additionalProperties: false,
    maxProperties: 1,
    properties: {
      service: { $ref: '#/$defs/id', description: 'The incidents of one service, by its id.' },
      team: { $ref: '#/$defs/id', description: 'Those of a team’s services, by its id.' },
    },
    $defs: { id: { type: 'string', pattern: '^[A-Z0-9]+$', maxLength: 64 } },
  },

  async register(context, wanted) {
    const events = wanted.events.filter((event) => !NOT_SUBSCRIBED.has(event));
    if (events.length === 0) throw invalid('no_events', 'PagerDuty sends a ping only when somebody tests.');
    const known = await findOurs(context, wanted);
    const same = known.find((one) => isKnown(one, wanted) && urlOf(one) === wanted.url);
    const id = textAt(same, 'id');
    if (id === undefined) return make(context, { ...wanted, events }, idsOf(known));
    const body = { webhook_subscription: { type: 'webhook_subscription', events, active: true } };
    const request = { method: 'PUT', path: `${SUBSCRIPTIONS}/{id}`, params: { id }, body } as const;
    await context.request({ ...request, isRepeatable: true });
    return { externalId: id, target: wanted.target, events, replaces: idsOf(known, id) };
  },

  async update(context, { externalId: previousId, target, events }, { url }) {
    const known = await findOurs(context, { url, previousId });
    return make(context, { url, target, events }, idsOf(known));
  },

  async unregister(context, { externalId: id }) {
    try {
      const path = `${SUBSCRIPTIONS}/{id}`;
      await context.request({ method: 'DELETE', path, params: { id }, isRepeatable: true });
    } catch (error) {
      // A missing permission is 403, so that what is not found is gone.
      if (!isProviderFailure(error, { category: 'NOT_FOUND' })) throw error;
    }
  },
};

async function make(
  context: ProviderContext,
  { url, target, events }: Pick<WantedWebhook, 'url' | 'target' | 'events'>,
  replaces: readonly string[],
): Promise<RegisteredWebhook> {
  const subscription = {
    type: 'webhook_subscription',
    description: 'Tributary',
    delivery_method: { type: 'http_delivery_method', url },
    events,
    filter: filterOf(target),
  };
  const body = { webhook_subscription: subscription };
  const response = await context.request({ method: 'POST', path: SUBSCRIPTIONS, body });
  const made = at(response.body, 'webhook_subscription');
  const [externalId, issuedSecret] = [textAt(made, 'id'), textAt(made, 'delivery_method', 'secret')];
  if (!externalId || !issuedSecret) {
    throw unexpectedAnswer(response, "the webhook's id and secret", { isAmbiguous: true });
  }
  return { externalId, target, events, issuedSecret, replaces };
}

function filterOf(target: WantedWebhook['target']) {
  const [service, team] = [textAt(target, 'service'), textAt(target, 'team')];
  const kind = service ? 'service' : team ? 'team' : 'account';
  return compact({ type: `${kind}_reference`, id: service ?? team });
}

type Ours = Pick<WantedWebhook, 'url' | 'previousId'>;

/** By the URL, which nobody else can know, or the id that we stored. */
async function findOurs({ request }: ProviderContext, wanted: Ours): Promise<readonly unknown[]> {
  const ours: unknown[] = [];
  for (let offset = 0; offset < MOST; offset += PAGE_SIZE) {
    const query = { limit: PAGE_SIZE, offset };
    const response = await request({ method: 'GET', path: SUBSCRIPTIONS, query });
    const found = at(response.body, 'webhook_subscriptions');
    if (!Array.isArray(found)) throw unexpectedAnswer(response, 'a list of webhooks', { isAmbiguous: false });
    ours.push(...found.filter((one) => urlOf(one) === wanted.url || isKnown(one, wanted)));
    if (at(response.body, 'more') !== true) break;
  }
  return ours;
}

const urlOf = (subscription: unknown) => textAt(subscription, 'delivery_method', 'url');
const isKnown = (subscription: unknown, { previousId }: Ours): boolean =>
  previousId !== undefined && textAt(subscription, 'id') === previousId;

function idsOf(subscriptions: readonly unknown[], without?: string): readonly string[] {
  const ids = subscriptions.map((subscription) => textAt(subscription, 'id') ?? '');
  return ids.filter((id) => id !== '' && id !== without);
}
