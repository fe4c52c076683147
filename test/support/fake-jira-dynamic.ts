import { randomUUID } from 'node:crypto';
import { encodeSymmetric } from 'atlassian-jwt';
import type { Clock } from '../../src/core/clock.js';
import type { FakeAnswer, FakeHandler, FakeProvider } from './fake-provider.js';

/** A webhook that an OAuth app has registered by API. */
export interface DynamicHook {
  readonly id: number;
  readonly url: string;
  readonly events: readonly string[];
  readonly jqlFilter: string;
  readonly issuePropertyKeysFilter?: readonly string[];
  expiresAt: Date;
}

export interface FakeDynamicHooks {
  /** Those that have not ended. */
  readonly all: readonly DynamicHook[];
  /** As an administrator takes one away. */
  forget(id: number): void;
}

const HOOKS = '/webhook';
const LIFE_MS = 30 * 24 * 60 * 60_000;
const EVENTS = new Set([
  'jira:issue_created',
  'jira:issue_updated',
  'jira:issue_deleted',
  'comment_created',
  'comment_updated',
  'comment_deleted',
  'issue_property_set',
  'issue_property_deleted',
]);

/** `/rest/api/3/webhook`, which only OAuth apps may use: one address for each app, and an end after 30 days. */
export function serveDynamicHooks(
  provider: FakeProvider,
  clock: Clock,
  on: (route: string, handle: FakeHandler) => void,
): FakeDynamicHooks {
  let hooks: DynamicHook[] = [];
  let lastId = 1_000;
  const present = (): DynamicHook[] => hooks.filter(({ expiresAt }) => expiresAt > clock.now());
  const end = (): Date => new Date(clock.now().getTime() + LIFE_MS);

  function register(url: string, wanted: Partial<DynamicHook>): object {
    const [used] = present();
    if (used && used.url !== url)
      return { errors: [`Only a single URL per app is allowed. Currently used: ${used.url}`] };
    const unknown = wanted.events?.find((event) => !EVENTS.has(event));
    if (unknown !== undefined || !wanted.events?.length) return { errors: [`No such event: ${unknown}`] };
    if (!wanted.jqlFilter || /~|ORDER BY/.test(wanted.jqlFilter))
      return { errors: [`The clause ${wanted.jqlFilter} is unsupported`] };
    provider.addEffect('webhook');
    hooks.push({ ...(wanted as DynamicHook), id: ++lastId, url, expiresAt: end() });
    return { createdWebhookId: lastId };
  }

  on(`POST ${HOOKS}`, ({ body }) => {
    const { url, webhooks } = body as { url?: string; webhooks?: readonly Partial<DynamicHook>[] };
    if (!url || !webhooks?.length) return { status: 400, body: { errorMessages: ['Nothing to register.'] } };
    const webhookRegistrationResult = webhooks.map((wanted) => register(url, wanted));
    return { status: 200, body: { webhookRegistrationResult } };
  });
  on(`GET ${HOOKS}`, ({ query }) =>
    listed(present(), Number(query['startAt'] ?? 0), Number(query['maxResults'] ?? 50)),
  );
  // What it does not know, it ignores.
  on(`PUT ${HOOKS}/refresh`, ({ body }) => {
    const expiresAt = end();
    for (const hook of present()) if (idsIn(body).includes(hook.id)) hook.expiresAt = expiresAt;
    return { status: 200, body: { expirationDate: expiresAt.getTime() } };
  });
  on(`DELETE ${HOOKS}`, ({ body }) => {
    hooks = hooks.filter(({ id }) => !idsIn(body).includes(id));
    return { status: 202 };
  });

  return {
    get all() {
      return present();
    },
    forget: (id) => void (hooks = hooks.filter((hook) => hook.id !== id)),
  };
}

/** A delivery as integrators report it: a token by the app's client secret, and the webhooks that matched in the body. */
export function dynamicDelivery(
  url: string,
  secret: string,
  body: object,
  ids: readonly number[],
  now: Date,
) {
  const seconds = Math.floor(now.getTime() / 1000);
  const claims = { iss: 'client-of-the-fake', iat: seconds, exp: seconds + 180 };
  return {
    url,
    body: Buffer.from(JSON.stringify({ ...body, matchedWebhookIds: ids })),
    headers: {
      'content-type': 'application/json',
      'x-atlassian-webhook-identifier': randomUUID(),
      authorization: `Bearer ${encodeSymmetric(claims, secret)}`,
    },
  };
}

function idsIn(body: unknown): readonly number[] {
  return (body as { webhookIds?: readonly number[] }).webhookIds ?? [];
}

function listed(hooks: readonly DynamicHook[], startAt: number, maxResults: number): FakeAnswer {
  const values = hooks.slice(startAt, startAt + maxResults).map(({ expiresAt, ...shown }) => ({
    ...shown,
    expirationDate: expiresAt.getTime(),
  }));
  const isLast = startAt + values.length >= hooks.length;
  return { status: 200, body: { startAt, maxResults, total: hooks.length, isLast, values } };
}
