import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ConnectDocument,
  DisconnectDocument,
  ExecuteActionDocument,
  HealthDocument,
  ReceiptsDocument,
  RotateDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { type TestCaller, startTestApp, useTestApp } from './support/app.js';
import { createTestClock } from './support/clock.js';
import { startFakeGitHub } from './support/fake-github.js';
import { GOOD_CODE, serveGitHubOAuth } from './support/fake-github-oauth.js';
import {
  type OAuthStory,
  authorizeLink,
  begin,
  comment,
  connected,
  look,
  operations,
  useOAuthStory,
} from './support/oauth-story.js';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const SECOND = 1_000;

/** A connection by OAuth that works, with a token that is good for an hour. */
async function start() {
  const story = await useOAuthStory();
  const connectionId = await connected(story, await story.caller());
  return { story, connectionId };
}

/** Later, and somebody whose own token is good then. */
async function later(story: OAuthStory, milliseconds: number): Promise<TestCaller> {
  story.clock.advance(milliseconds);
  return story.caller();
}

/** What the authorization server did, in its own words. */
function grants({ front }: OAuthStory): string[] {
  return front.server.events.map(({ what, grantType }) => `${grantType} ${what}`);
}

const comments = ({ example }: OAuthStory) =>
  example.provider.requests.filter(({ path }) => path.endsWith('/comments'));

/** As the person would, at the provider. */
async function withdraw({ front: { server, tokens } }: OAuthStory): Promise<void> {
  const { clientId, clientSecret } = server.app;
  const authorization = `Basic ${Buffer.from(`${clientId}:${clientSecret.reveal()}`).toString('base64')}`;
  for (const token of tokens) {
    const body = new URLSearchParams({ token });
    await fetch(`${server.url}/token/revocation`, { method: 'POST', headers: { authorization }, body });
  }
}

describe('an access token', () => {
  it('that has ended is renewed once, however many need it', async () => {
    const { story, connectionId } = await start();
    const caller = await later(story, HOUR + SECOND);
    const actions = await Promise.all(Array.from({ length: 5 }, () => comment(caller, connectionId)));
    expect(actions.map(({ status }) => status)).toEqual(actions.map(() => 'SUCCEEDED'));
    expect(grants(story)).toEqual(['authorization_code granted', 'refresh_token granted']);
    expect(await look(caller, connectionId)).toMatchObject({ status: 'ACTIVE', credential: { version: 2 } });
    expect((await operations(caller)).filter((operation) => operation.startsWith('refresh'))).toEqual([
      'refresh SUCCESS',
    ]);
    const { receipts } = await caller.get(ReceiptsDocument);
    const receipt = receipts.nodes.find(({ operation }) => operation.endsWith('.refresh'));
    expect(receipt).toMatchObject({
      actor: 'system',
      connection: { id: connectionId },
      result: { status: 'ACTIVE', credential_version: 2 },
    });
    for (const token of story.front.tokens) expect(JSON.stringify(receipts)).not.toContain(token);
  });

  it('that the provider refuses before its time is renewed, and the request is sent once more', async () => {
    const { story, connectionId } = await start();
    const caller = await later(story, MINUTE);
    story.front.issued.clear();
    expect(await comment(caller, connectionId)).toMatchObject({ status: 'SUCCEEDED', attempts: 1 });
    expect(comments(story)).toHaveLength(2);
    expect(grants(story).slice(1)).toEqual(['refresh_token granted']);
  });

  it('that the provider refuses as soon as it is new is not renewed for every request', async () => {
    const { story, connectionId } = await start();
    const caller = await later(story, MINUTE);
    story.example.accept(() => false);
    for (let count = 0; count < 5; count += 1) {
      expect(await comment(caller, connectionId)).toMatchObject({
        status: 'FAILED',
        failure: { category: 'AUTH', providerStatus: 401 },
      });
    }
    expect(grants(story).slice(1)).toEqual(['refresh_token granted']);
    expect(comments(story)).toHaveLength(6);
    const healthOf = async () => (await look(caller, connectionId)).health;
    await expect.poll(healthOf).toMatchObject({ status: 'UNHEALTHY' });
  });

  it.each([
    ['needs first', HOUR, 0],
    ['needs after the provider refused the one it had', MINUTE, 1],
  ])('that an action %s may take too long: then whoever takes it over sends it', async (_, age, sent) => {
    const { story, connectionId } = await start();
    const caller = await later(story, age);
    story.front.issued.clear();
    let isSlow = true;
    const slowly = async (): Promise<void> => {
      if (isSlow) await story.app.database.endLeases(10 * SECOND);
      isSlow = false;
    };
    story.front.server.delayTokens(slowly, async () => {});
    const action = { addIssueComment: { project: 'DEMO', issue: 'DEMO-1', body: 'x' } };
    await caller.get(ExecuteActionDocument, {
      input: { connectionId, idempotencyKey: 'slow', action, waitSeconds: 0 },
    });
    const { actions } = story.app.app.services;
    await actions.drain();
    expect(comments(story)).toHaveLength(sent);
    await story.app.database.endLeases();
    expect(await actions.recover()).toBe(1);
    expect(story.example.provider.effects.get('comment')).toBe(1);
  });

  it('is renewed ahead of its end, at a moment of its own', async () => {
    const { story, connectionId } = await start();
    const { connections } = story.app.app.services;
    const [row] = await story.app.database.query<{ share: number; ends: Date }>(
      `select abs(hashtext(connection_id::text)::bigint) % 1000 / 1000.0::float8 as share, expires_at as ends
       from credentials`,
    );
    const { share, ends } = row!;
    const due = ends.getTime() - (60 + 240 * share) * SECOND;
    story.clock.advance(due - story.clock.now().getTime() - 2 * SECOND);
    expect(await connections.renewDue()).toBe(0);
    story.clock.advance(3 * SECOND);
    expect(await connections.renewDue()).toBe(1);
    expect(await connections.renewDue()).toBe(0);
    expect(grants(story).slice(1)).toEqual(['refresh_token granted']);
    expect(await look(await story.caller(), connectionId)).toMatchObject({ credential: { version: 2 } });
  });

  it('is renewed in its turn, although many before it can’t be', async () => {
    const { story } = await start();
    const { database, app } = story.app;
    // Of a provider that is gone, and sealed by nobody knows whom.
    await database.query(`
      insert into connections (id, tenant_id, provider_id, name, status, auth_method, capabilities, settings, tags,
                               created_at, updated_at)
      select gen_random_uuid(), 'globex', case when n % 2 = 0 then 'gone' else 'example' end, n::text, 'ACTIVE',
             'OAUTH2', '{}', '{}', '{}', now(), now()
      from generate_series(1, 50) n`);
    await database.query(`
      insert into credentials (connection_id, tenant_id, version, sealed, created_at, expires_at)
      select id, tenant_id, 1, 'no key opens this', now(), now() from connections where tenant_id = 'globex'`);
    story.clock.advance(HOUR - 30 * SECOND);
    expect(await app.services.connections.renewDue()).toBe(0);
    expect(await app.services.connections.renewDue()).toBe(1);
    expect(grants(story).slice(1)).toEqual(['refresh_token granted']);
    const failures = async () =>
      database.query('select distinct refresh_failures from credentials where tenant_id = $1', ['globex']);
    expect(await failures()).toEqual([{ refresh_failures: 1 }]);
    story.clock.advance(16 * SECOND);
    expect(await app.services.connections.renewDue()).toBe(0);
    expect(await failures()).toEqual([{ refresh_failures: 2 }]);
  });

  it('goes on while it lasts when it can’t be renewed, and is renewed when it can', async () => {
    const { story, connectionId } = await start();
    const caller = await later(story, HOUR - 30 * SECOND);
    story.front.next('500');
    expect(await comment(caller, connectionId)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await look(caller, connectionId)).toMatchObject({ status: 'ACTIVE', credential: { version: 1 } });
    const afterwards = await later(story, HOUR);
    story.front.next('500');
    expect(await comment(afterwards, connectionId)).toMatchObject({
      status: 'FAILED',
      failure: { category: 'PROVIDER', code: 'oauth_server' },
    });
    expect(await look(afterwards, connectionId)).toMatchObject({ status: 'ACTIVE' });
    const atLast = await later(story, HOUR / 2);
    expect(await comment(atLast, connectionId)).toMatchObject({ status: 'SUCCEEDED' });
    expect(grants(story).slice(1)).toEqual(['refresh_token granted']);
  });

  it('is not lost because a process has no OAuth app to renew it by', async () => {
    const { story, connectionId } = await start();
    const env = { TRIBUTARY_PROVIDER_EXAMPLE_BASE_URL: story.example.provider.url };
    const bare = await startTestApp({ beside: story.app, clock: story.clock, env });
    onTestFinished(() => bare.close());
    story.clock.advance(HOUR + SECOND);
    expect(await comment(await bare.caller(), connectionId)).toMatchObject({
      status: 'FAILED',
      failure: { category: 'AUTH', code: 'oauth_invalid_client' },
    });
    const caller = await later(story, HOUR);
    expect(await look(caller, connectionId)).toMatchObject({ status: 'ACTIVE' });
    expect(await comment(caller, connectionId)).toMatchObject({ status: 'SUCCEEDED' });
  });
});

describe('a grant that is gone', () => {
  it.each([
    ['refused', 'refresh_refused'],
    ['lost', 'refresh_lost'],
  ])('%s: needs a person, says so, and works again after that', async (how, code) => {
    const { story, connectionId } = await start();
    if (how === 'refused') await withdraw(story);
    else story.front.next('lose');
    const caller = await later(story, HOUR + SECOND);
    expect(await comment(caller, connectionId)).toMatchObject({
      status: 'FAILED',
      failure: { category: 'AUTH', code: 'reauthorization_required' },
    });
    const isToldOf = {
      status: 'REAUTHORIZATION_REQUIRED',
      statusReason: { code, message: expect.stringMatching(/authorize .* again\.$/i) },
      health: { status: 'UNHEALTHY' },
    };
    expect(await look(caller, connectionId)).toMatchObject(isToldOf);
    expect((await operations(caller)).filter((operation) => operation.startsWith('refresh'))).toEqual([
      'refresh FAILURE',
    ]);
    const { health } = await caller.get(HealthDocument);
    expect(health.counts).toContainEqual({ status: 'UNHEALTHY', count: 1 });
    expect(health.counts.reduce((sum, { count }) => sum + count, 0)).toBe(1);
    expect(health.worst).toMatchObject([{ status: 'UNHEALTHY', connection: { id: connectionId } }]);
    const { verify } = await caller.get(VerifyDocument, { connectionId });
    expect(verify).toMatchObject({ status: 'REAUTHORIZATION_REQUIRED' });
    expect(await look(caller, connectionId)).toMatchObject(isToldOf);
    const action = { addIssueComment: { project: 'DEMO', issue: 'DEMO-1', body: 'x' } };
    const refused = await caller.ask(ExecuteActionDocument, {
      input: { connectionId, idempotencyKey: 'later', action },
    });
    expect(refused.errors[0]?.extensions.code).toBe('CONNECTION_NOT_READY');
    // Nobody goes on asking.
    const asked = story.front.server.events.length;
    await story.app.app.services.connections.renewDue();
    expect(story.front.server.events).toHaveLength(asked);

    const page = await story.browser().consent(await authorizeLink(caller, connectionId));
    expect(page.status).toBe(200);
    expect(await look(caller, connectionId)).toMatchObject({
      status: 'ACTIVE',
      statusReason: null,
      health: { status: expect.not.stringMatching('UNHEALTHY') },
    });
    expect(await comment(caller, connectionId)).toMatchObject({ status: 'SUCCEEDED' });
  });
});

it('what is refused of old tokens says nothing about those that a person has just brought', async () => {
  const { story, connectionId } = await start();
  await withdraw(story);
  const caller = await later(story, HOUR + SECOND);
  const { server } = story.front;
  const held = Promise.withResolvers<void>();
  let isFirst = true;
  server.delayTokens(
    async () => {
      if (!isFirst) return;
      isFirst = false;
      await held.promise;
    },
    async () => {},
  );
  const action = comment(caller, connectionId);
  await expect.poll(() => isFirst).toBe(false);
  const page = await story.browser().consent(await authorizeLink(caller, connectionId));
  expect(page.status).toBe(200);
  held.resolve();
  expect(await action).toMatchObject({ failure: { category: 'AUTH' } });
  expect(await look(caller, connectionId)).toMatchObject({ status: 'ACTIVE', credential: { version: 2 } });
  expect(await comment(caller, connectionId)).toMatchObject({ status: 'SUCCEEDED' });
});

describe('a credential that can’t be read any more', () => {
  const spoil = ({ app }: OAuthStory) =>
    app.database.query(`update credentials set sealed = 'no key opens this'`);

  it('is replaced by authorizing again', async () => {
    const { story, connectionId } = await start();
    const caller = await story.caller();
    await spoil(story);
    const page = await story.browser().consent(await authorizeLink(caller, connectionId));
    expect(page.status).toBe(200);
    expect(await comment(caller, connectionId)).toMatchObject({ status: 'SUCCEEDED' });
  });

  it('is replaced by rotating it', async () => {
    const story = await useOAuthStory();
    const caller = await story.caller();
    const credential = { token: story.example.token };
    story.example.accept((token) => token === credential.token);
    const { connect } = await caller.get(ConnectDocument, {
      input: { providerId: 'example', name: 'by hand', authMethod: 'BEARER', credential },
    });
    const connectionId = connect.connection.id;
    await spoil(story);
    const input = { connectionId, what: 'CREDENTIAL', credential, overlapSeconds: 60 } as const;
    expect((await caller.get(RotateDocument, { input })).rotate.failure).toBeNull();
    expect(await comment(caller, connectionId)).toMatchObject({ status: 'SUCCEEDED' });
  });
});

describe('disconnect', () => {
  const consentOf = async (caller: TestCaller): Promise<unknown> => {
    const { receipts } = await caller.get(ReceiptsDocument);
    return receipts.nodes.find(({ operation }) => operation.endsWith('.disconnect'))?.result;
  };

  it('gives the consent back', async () => {
    const { story, connectionId } = await start();
    const caller = await story.caller();
    const { disconnect } = await caller.get(DisconnectDocument, { connectionId });
    expect(disconnect.status).toBe('DELETED');
    expect(story.front.revocations.map((form) => form.get('token_type_hint'))).toEqual(['refresh_token']);
    expect(story.front.server.revokedFamilies).toHaveLength(1);
    expect(await story.app.database.query('select * from credentials')).toEqual([]);
    expect(await consentOf(caller)).toMatchObject({ consent: 'revoked' });
  });

  it('ends the consent in GitHub’s own way', async () => {
    const clock = createTestClock();
    const { provider, token } = await startFakeGitHub(clock);
    onTestFinished(() => provider.close());
    const [clientId, clientSecret] = ['Iv1.of-the-fake', 'secret-of-the-app-at-github'];
    serveGitHubOAuth(provider, { clientId, clientSecret, token });
    const app = await useTestApp({
      clock,
      env: {
        TRIBUTARY_PROVIDER_GITHUB_BASE_URL: provider.url,
        TRIBUTARY_PROVIDER_GITHUB_OAUTH_URL: provider.url,
        TRIBUTARY_PROVIDER_GITHUB_CLIENT_ID: clientId,
        TRIBUTARY_PROVIDER_GITHUB_CLIENT_SECRET: clientSecret,
      },
    });
    const caller = await app.caller();
    const { connectionId, link } = await begin(caller, { providerId: 'github' });
    const cookie = (await fetch(link)).headers.get('set-cookie')?.split(';')[0] ?? '';
    const opened = await fetch(link, { method: 'POST', redirect: 'manual', headers: { cookie } });
    const authorization = new URL(opened.headers.get('location') ?? '');
    expect(authorization.pathname).toBe('/login/oauth/authorize');
    expect(authorization.searchParams.get('prompt')).toBe('select_account');
    const state = authorization.searchParams.get('state') ?? '';
    const callback = `${app.url}/v1/integrations/oauth/callback?code=${GOOD_CODE}&state=${state}`;
    expect((await fetch(callback, { headers: { cookie } })).status).toBe(200);
    expect(await look(caller, connectionId)).toMatchObject({
      status: 'ACTIVE',
      account: { name: 'ada' },
    });

    await caller.get(DisconnectDocument, { connectionId });
    expect(await consentOf(caller)).toMatchObject({ consent: 'revoked' });
    expect(provider.effects.get('grant ended')).toBe(1);
  });

  it('does not wait for a provider that is away', async () => {
    const { story, connectionId } = await start();
    await story.front.close();
    const caller = await story.caller();
    const { disconnect } = await caller.get(DisconnectDocument, { connectionId });
    expect(disconnect.status).toBe('DELETED');
    expect(await story.app.database.query('select * from credentials')).toEqual([]);
    expect(await consentOf(caller)).toMatchObject({ consent: 'failed' });
  });

  it('of one that nobody has authorized has nothing to give back', async () => {
    const story = await useOAuthStory();
    const caller = await story.caller();
    const { connectionId, link } = await begin(caller);
    const browser = story.browser();
    const callback = await browser.login(link);
    await caller.get(DisconnectDocument, { connectionId });
    expect(await consentOf(caller)).not.toHaveProperty('consent');
    expect((await browser.get(callback)).status).toBe(400);
    expect(story.front.tokens.size).toBe(0);
  });
});

describe('client credentials', () => {
  async function connectClient(
    story: OAuthStory,
    caller: TestCaller,
    credential: Record<string, unknown> = clientOf(story),
  ): Promise<string> {
    const { connect } = await caller.get(ConnectDocument, {
      input: {
        providerId: 'example',
        name: 'machine',
        authMethod: 'OAUTH2_CLIENT_CREDENTIALS',
        credential,
      },
    });
    expect(connect).toMatchObject({ authorizationUrl: null, connection: { status: 'PENDING_VERIFICATION' } });
    return connect.connection.id;
  }

  const clientOf = ({ front: { server } }: OAuthStory) => ({
    clientId: server.app.clientId,
    clientSecret: server.app.clientSecret.reveal(),
  });

  it('get a token when it is needed, and another when it ends', async () => {
    const story = await useOAuthStory();
    const caller = await story.caller();
    const connectionId = await connectClient(story, caller);
    const { verify } = await caller.get(VerifyDocument, { connectionId });
    expect(verify.status).toBe('ACTIVE');
    expect(await comment(caller, connectionId)).toMatchObject({ status: 'SUCCEEDED' });
    expect(grants(story)).toEqual(['client_credentials granted']);
    const afterwards = await later(story, HOUR);
    expect(await comment(afterwards, connectionId)).toMatchObject({ status: 'SUCCEEDED' });
    expect(grants(story)).toHaveLength(2);
    expect(await look(afterwards, connectionId)).toMatchObject({ credential: { version: 3 } });
  });

  it('are rotated once the new ones have proven to work, and renewed by those', async () => {
    const story = await useOAuthStory();
    const caller = await story.caller();
    const connectionId = await connectClient(story, caller);
    await caller.get(VerifyDocument, { connectionId });
    const rotate = async (credential: Record<string, unknown>) =>
      (await caller.get(RotateDocument, { input: { connectionId, what: 'CREDENTIAL', credential } })).rotate;
    const wrong = await rotate({ ...clientOf(story), clientSecret: 'wrong' });
    expect(wrong).toMatchObject({
      failure: { category: 'AUTH', code: 'oauth_invalid_client' },
      connection: { status: 'ACTIVE', credential: { version: 2 } },
    });
    const right = await rotate(clientOf(story));
    expect(right).toMatchObject({ failure: null, connection: { credential: { version: 3 } } });
    for (const version of [4, 5]) {
      const afterwards = await later(story, HOUR);
      expect(await comment(afterwards, connectionId)).toMatchObject({ status: 'SUCCEEDED' });
      expect(await look(afterwards, connectionId)).toMatchObject({ credential: { version } });
    }
  });

  it('may be references, which are followed at every renewal', async () => {
    const name = 'TRIBUTARY_SECRET_MACHINE';
    const env = { TRIBUTARY_SECRET_REFERENCES: 'shared:env://*', [name]: 'set below' };
    const story = await useOAuthStory({ env });
    const variables = story.app.config.secretVariables as Record<string, string | undefined>;
    variables[name] = JSON.stringify(clientOf(story));
    const caller = await story.caller();
    const connectionId = await connectClient(story, caller, { reference: `env://${name}` });
    await caller.get(VerifyDocument, { connectionId });
    expect(await comment(caller, connectionId)).toMatchObject({ status: 'SUCCEEDED' });
    const secret = Buffer.from(clientOf(story).clientSecret).toString('hex');
    const rows = await story.app.database.query('select t::text from credentials t');
    expect(JSON.stringify(rows)).not.toContain(secret);

    variables[name] = undefined;
    const afterwards = await later(story, HOUR);
    expect(await comment(afterwards, connectionId)).toMatchObject({
      status: 'FAILED',
      failure: { category: 'AUTH', message: expect.stringContaining('without a variable of that name') },
    });
    expect(await look(afterwards, connectionId)).toMatchObject({ status: 'ACTIVE' });
    variables[name] = JSON.stringify(clientOf(story));
    const atLast = await later(story, HOUR);
    expect(await comment(atLast, connectionId)).toMatchObject({ status: 'SUCCEEDED' });
  });
});
