import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { toCallbackRequest } from '../resolvers/callback/request.js';
import { issueDevelopmentToken } from '../src/core/auth.js';
import { systemClock } from '../src/core/clock.js';
import { type TestApp, startTestApp, useTestApp } from './support/app.js';
import { type Hook, connectGitHub, githubDelivery, post } from './support/github.js';
import { type Router, type RouterSubscription, startRouter } from './support/router.js';

let router: Router;
let app: TestApp;
beforeAll(async () => {
  router = await startRouter();
  app = await startTestApp({ env: envOf(router) });
});
afterAll(async () => {
  await app.close();
  await router.close();
});

const envOf = ({ url }: Router) => ({ SUBSCRIPTION_CALLBACK_URLS: url, GRAPHQL_MAX_SUBSCRIPTIONS: '2' });

const QUERY = 'subscription ($after: Cursor) { signalReceived(after: $after) { id cursor } }';
/** From the beginning of the tenant's feed: sequences start at one. */
const AFTER = Buffer.from('signals:0').toString('base64url');

interface Begun {
  readonly status: number;
  readonly body: {
    data?: null;
    errors?: { message: string; extensions: { code: string; details?: object } }[];
  };
}

/** What the router sends to its subgraph when a client subscribes. */
async function begin(
  { url }: TestApp,
  token: string,
  extension: object,
  { query, variables }: { query: string; variables: object } = { query: QUERY, variables: { after: AFTER } },
): Promise<Begun> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json;callbackSpec=1.0',
      authorization: `Bearer ${token}`,
      'x-correlation-id': 'subscribed-1',
    },
    body: JSON.stringify({ query, variables, extensions: { subscription: extension } }),
  });
  return { status: response.status, body: (await response.json()) as Begun['body'] };
}

/** Each about another issue. */
let issues = 0;

async function send({ url, secret }: Hook, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let left = count; left > 0; left -= 1) {
    const n = (issues += 1);
    const issue = { id: n, number: n, title: `Issue ${n}` };
    const payload = { action: 'opened', issue, repository: { full_name: 'acme/x' } };
    const answer = await post(url, await githubDelivery('issues', payload, secret));
    ids.push(...(answer.body.signals ?? []));
  }
  return ids;
}

const idsOf = (subscription: RouterSubscription): string[] =>
  subscription
    .told('next')
    .map(({ payload }) => (payload?.data?.['signalReceived'] as { id: string } | undefined)?.id ?? '');

const subscribers = async ({ url }: TestApp): Promise<string | undefined> =>
  /^tributary_feed_subscribers (\d+)$/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1];

/** A tenant of its own with a webhook. */
async function newTenant() {
  const caller = await app.caller(`tenant-${randomUUID()}`);
  return { ...caller, hook: await connectGitHub(caller) };
}

describe('a subscription by callback', () => {
  it('is confirmed, told every signal in order, and ended by a 404', async () => {
    const { token, hook } = await newTenant();
    const missed = await send(hook, 3);
    const subscription = router.subscription();
    expect(await begin(app, token, subscription.extension)).toEqual({ status: 200, body: { data: null } });
    expect(subscription.messages[0]).toEqual({
      kind: 'subscription',
      action: 'check',
      id: subscription.extension['subscriptionId'],
      verifier: subscription.extension['verifier'],
    });
    const live = await send(hook, 3);
    await expect.poll(() => idsOf(subscription)).toEqual([...missed, ...live]);
    for (const headers of subscription.headers)
      expect(headers).toMatchObject({
        'content-type': 'application/json',
        'subscription-protocol': 'callback/1.0',
        'x-correlation-id': 'subscribed-1',
      });
    expect(JSON.stringify(subscription.headers)).not.toContain(token);
    subscription.forget();
    await send(hook, 2);
    await expect.poll(() => subscribers(app)).toBe('0');
    // The one that was answered 404, and no farewell to somebody who has left.
    expect(subscription.told('next')).toHaveLength(7);
    expect(subscription.told('complete')).toEqual([]);
  });

  it('shows signs of life, and ends when nobody is there for them', async () => {
    const { token } = await app.caller();
    const subscription = router.subscription({ heartbeatIntervalMs: 100 });
    await begin(app, token, subscription.extension);
    await expect.poll(() => subscription.told('check').length).toBeGreaterThan(3);
    subscription.forget();
    await expect.poll(() => subscribers(app)).toBe('0');
    const { length } = subscription.messages;
    const again = router.subscription({ heartbeatIntervalMs: 100 });
    await begin(app, token, again.extension);
    await expect.poll(() => again.told('check').length).toBeGreaterThan(3);
    expect(subscription.messages).toHaveLength(length);
    again.forget();
    await expect.poll(() => subscribers(app)).toBe('0');
  });

  it('is told again what a router that failed for a moment has not taken, and no more by one that refuses', async () => {
    const { token, hook } = await newTenant();
    const subscription = router.subscription();
    subscription.answer('next', 503, 500);
    await begin(app, token, subscription.extension);
    const [first = '', second = ''] = await send(hook, 2);
    await expect.poll(() => idsOf(subscription)).toEqual([first, first, first, second]);
    subscription.answer('next', 401);
    await send(hook, 1);
    await expect.poll(() => subscribers(app)).toBe('0');
    expect(subscription.told('next')).toHaveLength(5);
  });

  it('ends with its token, and says so', async () => {
    const { hook } = await newTenant();
    const claims = { tenantId: 'acme', subject: 'ada', scope: 'integrations:read', lifetimeSeconds: 2 };
    const token = await issueDevelopmentToken(app.config, claims, systemClock);
    const subscription = router.subscription();
    expect((await begin(app, token, subscription.extension)).status).toBe(200);
    await expect
      .poll(() => subscription.told('complete'), { timeout: 5_000 })
      .toMatchObject([{ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] }]);
    await send(hook, 1);
    expect(subscription.told('next')).toEqual([]);
    expect(await subscribers(app)).toBe('0');
  });

  it('counts for its tenant, beside those over sockets, until it is over', async () => {
    const tenant = await newTenant();
    const [first, second, third] = [router.subscription(), router.subscription(), router.subscription()];
    const stream = tenant.socket().iterate({ query: QUERY, variables: { after: AFTER } });
    const next = stream.next();
    await send(tenant.hook, 1);
    await next;
    expect((await begin(app, tenant.token, first.extension)).status).toBe(200);
    expect(await begin(app, tenant.token, second.extension)).toMatchObject({
      status: 429,
      body: { errors: [{ extensions: { code: 'RATE_LIMITED', details: { limit: 2 } } }] },
    });
    expect(second.messages).toEqual([]);
    first.forget();
    await send(tenant.hook, 1);
    await expect.poll(() => subscribers(app)).toBe('1');
    expect((await begin(app, tenant.token, third.extension)).status).toBe(200);
    await stream.return?.();
    third.forget();
    await send(tenant.hook, 1);
    await expect.poll(() => subscribers(app)).toBe('0');
  });

  it('passes errors of an answer on, in the form they have everywhere', async () => {
    const claims = { tenantId: 'acme', subject: 'ada', scope: 'integrations:write', lifetimeSeconds: 60 };
    const token = await issueDevelopmentToken(app.config, claims, systemClock);
    const refused = await begin(app, token, router.subscription().extension);
    expect(refused).toMatchObject({
      status: 403,
      body: { errors: [{ extensions: { code: 'FORBIDDEN' } }] },
    });
    expect(await subscribers(app)).toBe('0');
  });
});

describe('is refused', () => {
  it.each<[string, (url: string) => string]>([
    ['another host', () => 'http://127.0.0.2:1/callback/1'],
    ['another port', (url) => url.replace(/:\d+/, ':1')],
    ['another scheme', (url) => url.replace('http:', 'https:')],
    ['a neighbour of the path', (url) => url.replace('/callback/', '/callbacks/')],
    ['a way out of the path', (url) => url.replace('/callback/', '/callback/../admin/')],
    ['an encoded way out', (url) => url.replace('/callback/', '/callback/%2e%2e%2fadmin/')],
    ['a user', (url) => url.replace('http://', 'http://user@')],
    ['a query', (url) => `${url}?x=1`],
  ])('with %s', async (_name, other) => {
    const { token } = await app.caller();
    const { extension, messages } = router.subscription();
    const callbackUrl = other(String(extension['callbackUrl']));
    expect(await begin(app, token, { ...extension, callbackUrl })).toMatchObject({
      status: 400,
      body: {
        errors: [
          {
            extensions: { code: 'CALLBACK_REFUSED' },
            message: expect.stringContaining('SUBSCRIPTION_CALLBACK_URLS'),
          },
        ],
      },
    });
    expect(messages).toEqual([]);
  });

  it.each([
    ['no address', { callbackUrl: undefined }],
    ['a file', { callbackUrl: 'file:///etc/passwd' }],
    ['no verifier', { verifier: '' }],
    ['a drumroll', { heartbeatIntervalMs: 1 }],
  ])('with %s', async (_name, more) => {
    const { token } = await app.caller();
    expect(await begin(app, token, { ...router.subscription().extension, ...more })).toMatchObject({
      status: 400,
      body: { errors: [{ extensions: { code: 'INVALID_INPUT', details: { problems: [{}] } } }] },
    });
  });

  it('when the router does not confirm it, or has it already, or nobody named a router', async () => {
    const { token } = await app.caller();
    const refused = { status: 400, body: { errors: [{ extensions: { code: 'CALLBACK_REFUSED' } }] } };
    // As many as the tenant may have: none of them has kept a place.
    for (const status of [401, 503]) {
      const unknown = router.subscription();
      unknown.answer('check', status);
      expect(await begin(app, token, unknown.extension)).toMatchObject(refused);
    }
    const known = router.subscription({ heartbeatIntervalMs: 100 });
    expect((await begin(app, token, known.extension)).status).toBe(200);
    expect(await begin(app, token, known.extension)).toMatchObject(refused);
    known.forget();
    await expect.poll(() => subscribers(app)).toBe('0');
    expect(() => toCallbackRequest(known.extension, [])).toThrow('SUBSCRIPTION_CALLBACK_URLS');
  });

  it('and asked of a query, means nothing', async () => {
    const { token } = await app.caller();
    const { extension, messages } = router.subscription();
    const { status, body } = await begin(app, token, extension, { query: '{ __typename }', variables: {} });
    expect([status, body]).toEqual([200, { data: { __typename: 'Query' } }]);
    expect(messages).toEqual([]);
  });
});

describe('at the end', () => {
  it('of this process, its router is told that another one takes it', async () => {
    const second = await startTestApp({ beside: app, env: envOf(router) });
    const { token } = await app.caller();
    const subscription = router.subscription({ heartbeatIntervalMs: 5_000 });
    await begin(second, token, subscription.extension);
    await second.close();
    expect(subscription.told('complete')).toMatchObject([
      { errors: [{ extensions: { code: 'SHUTTING_DOWN' } }] },
    ]);
    expect(await subscribers(app)).toBe('0');
  });

  it('of its router, it ends after some tries', async () => {
    const away = await startRouter();
    onTestFinished(() => away.close());
    const second = await useTestApp({ beside: app, env: envOf(away) });
    const { token, hook } = await newTenant();
    const subscription = away.subscription();
    await begin(second, token, subscription.extension);
    const ids = await send(hook, 1);
    await expect.poll(() => idsOf(subscription)).toEqual(ids);
    await away.close();
    await send(hook, 1);
    await expect.poll(() => subscribers(second), { timeout: 8_000 }).toBe('0');
    const refused = await begin(second, token, away.subscription().extension);
    expect(refused.body.errors?.[0]?.message).toContain('can’t be reached');
  });
});
