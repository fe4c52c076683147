import { Writable } from 'node:stream';
import { print } from 'graphql';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import {
  AuthorizeDocument,
  ConnectDocument,
  ConnectionChangedDocument,
  type ConnectionChangedSubscription,
  OAuthAppsDocument,
  ReceiptsDocument,
  RemoveOAuthAppDocument,
  SetOAuthAppDocument,
} from '../schema/generated/operations.js';
import { changeCursor } from '../src/connection/changes.js';
import type { ConnectionChange } from '../src/connection/connection.entity.js';
import { answer } from './support/fake-behavior.js';
import { exampleError } from './support/fake-example.js';
import {
  CALLBACK,
  PUBLIC_URL,
  RETURN_TO,
  authorizeLink,
  begin,
  comment,
  connected,
  look,
  operations,
  useOAuthStory,
} from './support/oauth-story.js';

const MINUTE = 60_000;

/** The error of an answer to a browser. */
async function codeOf(response: Response): Promise<string> {
  return ((await response.json()) as { error: { code: string } }).error.code;
}

describe('to connect by OAuth', () => {
  it('a person consents, and the connection works; what must not be seen is nowhere', async () => {
    const lines: string[] = [];
    const sink = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        lines.push(chunk.toString());
        done();
      },
    });
    const story = await useOAuthStory({ log: pino({ level: 'trace' }, sink) });
    const caller = await story.caller();
    const { connectionId, link } = await begin(caller, { returnTo: `${RETURN_TO}?tab=1` });
    expect(link).toMatch(/^https:\/\/tributary\.example\/v1\/integrations\/oauth\/authorize\/[\w-]{43}$/);
    expect(await look(caller, connectionId)).toMatchObject({ status: 'AUTHORIZING', credential: null });

    const browser = story.browser();
    const page = await browser.get(link);
    const opened = await browser.press(link);
    expect([page.status, opened.status]).toEqual([200, 303]);
    const provider = new URL(opened.headers.get('location') ?? '');
    expect(provider.origin + provider.pathname).toBe(`${story.front.url}/auth`);
    const asked = Object.fromEntries(provider.searchParams);
    expect(asked).toMatchObject({
      response_type: 'code',
      client_id: story.front.server.app.clientId,
      redirect_uri: CALLBACK,
      scope: 'openid read',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
    });
    const cookie = page.headers.get('set-cookie') ?? '';
    for (const part of ['HttpOnly', 'SameSite=Lax', 'Secure', 'Path=/v1/integrations/oauth']) {
      expect(cookie.split('; ')).toContain(part);
    }

    const callback = await browser.login(link);
    const done = await browser.get(callback);
    expect(done.status).toBe(303);
    expect(done.headers.get('location')).toBe(
      `${RETURN_TO}?tab=1&connection_id=${connectionId}&status=ACTIVE`,
    );
    expect(done.headers.get('cache-control')).toBe('no-store');
    expect(await look(caller, connectionId)).toMatchObject({
      status: 'ACTIVE',
      statusReason: null,
      account: { id: 'acc_1', name: 'Ada' },
      credential: { version: 1 },
    });
    expect(await operations(caller)).toEqual(['connect SUCCESS', 'authorize SUCCESS']);
    const [change] = await story.app.database.query<ConnectionChange>('select * from connection_changes');
    const after = changeCursor(change!);
    const feed = caller.socket().iterate<ConnectionChangedSubscription>({
      query: print(ConnectionChangedDocument),
      variables: { connectionId, after },
    });
    expect((await feed.next()).value?.data?.connectionChanged).toMatchObject({
      verb: 'authorize',
      previousStatus: 'AUTHORIZING',
      status: 'ACTIVE',
    });
    expect(await comment(caller, connectionId)).toMatchObject({ status: 'SUCCEEDED' });

    const code = new URL(callback).searchParams.get('code') ?? '';
    const secrets = [
      code,
      asked['state'] ?? '',
      ...story.front.tokens,
      story.front.server.app.clientSecret.reveal(),
    ];
    expect(story.front.tokens.size).toBe(2);
    const tables = ['connections', 'credentials', 'receipts', 'connection_changes', 'oauth_flows', 'actions'];
    const rows = await Promise.all(
      tables.map((name) => story.app.database.query(`select t::text from ${name} t`)),
    );
    const receipts = await caller.ask(ReceiptsDocument);
    const places = {
      logs: lines.join(''),
      rows: JSON.stringify(rows),
      receipts: JSON.stringify(receipts.data),
    };
    for (const secret of [...secrets, link.split('/').at(-1) ?? '']) {
      expect(secret.length).toBeGreaterThan(20);
      for (const [place, text] of Object.entries(places)) {
        for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('hex')]) {
          expect(text.includes(form), `${place} hold a secret`).toBe(false);
        }
      }
    }
  });

  it('a page of ours says for whom it is, and only its button uses the link up', async () => {
    const story = await useOAuthStory();
    const caller = await story.caller();
    const { link } = await begin(caller, { name: '<b>main</b>', returnTo: RETURN_TO });
    // As mail scanners and previews do.
    const head = await fetch(link.replace(PUBLIC_URL, story.app.url), { method: 'HEAD' });
    expect(head.status).toBe(404);
    expect((await story.browser().get(link)).status).toBe(200);

    const browser = story.browser();
    const page = await browser.get(link);
    expect(page.headers.get('location')).toBeNull();
    const policy = page.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'; frame-ancestors 'none'");
    // Chrome holds every redirect after the button to it.
    expect(policy).toContain(`form-action 'self' https: ${story.front.url} ${new URL(RETURN_TO).origin}`);
    const html = await page.text();
    expect(html).toContain(
      'user-of-acme of acme asks you to connect Example, as “&#60;b&#62;main&#60;/b&#62;”',
    );
    expect(html).toContain('<button>Continue to Example</button>');
    // Another site can have the form sent, but not with our cookie.
    expect(await codeOf(await story.browser().press(link))).toBe('AUTHORIZATION_OVER');
    expect((await browser.consent(link)).status).toBe(303);
  });

  it('without returnTo a plain page says how it went', async () => {
    const story = await useOAuthStory({ env: { PUBLIC_URL: 'http://tributary.example' } });
    const caller = await story.caller();
    const { link } = await begin(caller, { name: '<b>main</b>' });
    const local = link.replace('http://tributary.example', story.app.url);
    expect((await story.browser().get(local)).headers.get('set-cookie')).not.toContain('Secure');

    const secure = await useOAuthStory();
    const next = await begin(await secure.caller(), { name: '<b>main</b>' });
    const page = await secure.browser().consent(next.link);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    const html = await page.text();
    expect(html).toContain('<title>Connected</title>');
    expect(html).not.toContain('<b>');
    for (const token of secure.front.tokens) expect(html).not.toContain(token);
  });

  it('nobody is sent anywhere that the operator did not name', async () => {
    const story = await useOAuthStory({
      env: { OAUTH_RETURN_TO: 'https://app.example/done,https://b.example' },
    });
    const caller = await story.caller();
    const connectionId = await connected(story, caller);
    const bad = [
      'https://evil.example/done',
      'https://app.example.evil/done',
      'https://app.example@evil.example/done',
      'https://me:pw@app.example/done',
      'https://app.example/donenot',
      'https://app.example/done/../elsewhere',
      'http://app.example/done',
      'javascript:alert(1)',
      'data:text/html,x',
    ];
    for (const returnTo of bad) {
      const refused = await caller.ask(ConnectDocument, {
        input: { providerId: 'example', name: 'x', authMethod: 'OAUTH2', returnTo },
      });
      expect(refused.errors[0]?.extensions, returnTo).toMatchObject({
        code: 'INVALID_INPUT',
        details: { problems: [{ field: 'returnTo' }] },
      });
      const again = await caller.ask(AuthorizeDocument, { connectionId, returnTo });
      expect(again.errors[0]?.extensions.code, returnTo).toBe('INVALID_INPUT');
    }
    for (const returnTo of ['https://app.example/done/x', 'https://b.example/']) {
      expect(await authorizeLink(caller, connectionId, returnTo)).toContain('/authorize/');
    }
    expect(await story.app.database.query('select id from connections')).toHaveLength(1);
  });

  it('what can’t lead anywhere is refused before anything is stored', async () => {
    const story = await useOAuthStory({
      env: {
        TRIBUTARY_PROVIDER_EXAMPLE_CLIENT_ID: '',
        TRIBUTARY_PROVIDER_EXAMPLE_CLIENT_SECRET: '',
      },
    });
    const caller = await story.caller();
    const input = { providerId: 'example', name: 'x', authMethod: 'OAUTH2' } as const;
    const nobody = await caller.ask(ConnectDocument, { input });
    expect(nobody.errors[0]?.extensions.code).toBe('UNSUPPORTED');
    expect(nobody.errors[0]?.message).toContain('TRIBUTARY_PROVIDER_EXAMPLE_CLIENT_ID');
    expect(nobody.errors[0]?.message).toContain('setOAuthApp');
    const given = await caller.ask(ConnectDocument, { input: { ...input, credential: { token: 'x' } } });
    expect(given.errors[0]?.extensions).toMatchObject({
      code: 'INVALID_INPUT',
      details: { problems: [{ field: 'credential' }] },
    });
    expect(await story.app.database.query('select id from connections')).toEqual([]);

    const bearer = await caller.get(ConnectDocument, {
      input: { ...input, authMethod: 'BEARER', credential: { token: 'x' } },
    });
    const { id } = bearer.connect.connection;
    const notOAuth = await caller.ask(AuthorizeDocument, { connectionId: id });
    expect(notOAuth.errors[0]?.extensions.code).toBe('UNSUPPORTED');
  });
});

describe('a flow is good once, for ten minutes and one browser', () => {
  it('whatever else comes is over, and harms no good flow', async () => {
    const story = await useOAuthStory();
    const caller = await story.caller();
    const good = await begin(caller);
    const browser = story.browser();
    const callback = await browser.login(good.link);
    const wrongState = callback.replace(/state=[^&]+/, `state=${'x'.repeat(43)}`);
    const stranger = story.browser();
    await stranger.open((await begin(caller)).link);
    const attempts: readonly (readonly [string, Promise<Response>])[] = [
      ['no cookie', story.browser().get(callback)],
      ['another browser’s cookie', stranger.get(callback)],
      ['wrong state', browser.get(wrongState)],
      ['no state', browser.get(CALLBACK)],
      ['link in a second browser', stranger.get(good.link)],
      ['button in a second browser', stranger.press(good.link)],
      ['unknown link', browser.get(good.link.replace(/.$/, (last) => (last === 'A' ? 'E' : 'A')))],
    ];
    for (const [what, attempt] of attempts) {
      const refused = await attempt;
      expect([refused.status, await codeOf(refused)], what).toEqual([400, 'AUTHORIZATION_OVER']);
    }
    expect((await browser.get(callback)).status).toBe(200);
    const replayed = await browser.get(callback);
    expect(await codeOf(replayed)).toBe('AUTHORIZATION_OVER');
    // A person is told in a page, and in the same words.
    const atBrowser = await fetch(new URL(new URL(callback).pathname, story.app.url), {
      headers: { accept: 'text/html,*/*;q=0.8' },
    });
    expect(atBrowser.status).toBe(400);
    expect(atBrowser.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await atBrowser.text()).toContain('begun in another browser');
    expect(await look(caller, good.connectionId)).toMatchObject({ status: 'ACTIVE' });
    expect(story.front.server.revokedFamilies).toEqual([]);
  });

  it('after ten minutes neither link nor callback count', async () => {
    const story = await useOAuthStory();
    const caller = await story.caller();
    const [first, second] = [await begin(caller), await begin(caller)];
    const browser = story.browser();
    const callback = await browser.login(first.link);
    story.clock.advance(10 * MINUTE + 1_000);
    expect(await codeOf(await browser.get(callback))).toBe('AUTHORIZATION_OVER');
    expect(await codeOf(await browser.get(second.link))).toBe('AUTHORIZATION_OVER');
    expect(story.front.tokens.size).toBe(0);
    const later = await story.caller();
    const link = await authorizeLink(later, first.connectionId);
    expect((await browser.consent(link)).status).toBe(200);
    expect(await look(later, first.connectionId)).toMatchObject({ status: 'ACTIVE' });
  });

  it('five at once in one browser all work', async () => {
    const story = await useOAuthStory();
    const caller = await story.caller();
    const browser = story.browser();
    const flows = await Promise.all(Array.from({ length: 5 }, () => begin(caller)));
    // The first gives the browser its cookie, which the others bring.
    const callbacks: string[] = [];
    for (const { link } of flows) callbacks.push(await browser.login(link));
    const answers = await Promise.all(callbacks.toReversed().map((callback) => browser.get(callback)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    for (const { connectionId } of flows) {
      expect(await look(caller, connectionId)).toMatchObject({ status: 'ACTIVE' });
    }
  });

  it('a code of another flow is no good', async () => {
    const story = await useOAuthStory();
    const caller = await story.caller();
    const browser = story.browser();
    const [first, second] = [await begin(caller), await begin(caller)];
    const [one, two] = [await browser.login(first.link), await browser.login(second.link)];
    const code = new URL(one).searchParams.get('code') ?? '';
    const mixed = await browser.get(two.replace(/code=[^&]+/, `code=${code}`));
    expect(mixed.status).toBe(400);
    expect(await look(caller, second.connectionId)).toMatchObject({
      status: 'AUTHORIZING',
      statusReason: { code: 'oauth_invalid_grant' },
    });
    expect(story.front.tokens.size).toBe(0);
  });
});

describe('when it does not work out', () => {
  it('a person who says no is taken at their word', async () => {
    const story = await useOAuthStory();
    const caller = await story.caller();
    const { connectionId, link } = await begin(caller, { returnTo: RETURN_TO });
    const answered = await story.browser().consent(link, 'deny');
    const back = new URL(answered.headers.get('location') ?? '');
    expect(back.origin + back.pathname).toBe(RETURN_TO);
    expect(Object.fromEntries(back.searchParams)).toEqual({
      connection_id: connectionId,
      status: 'AUTHORIZING',
      error: 'oauth_denied',
    });
    expect(await look(caller, connectionId)).toMatchObject({
      status: 'AUTHORIZING',
      statusReason: { code: 'oauth_denied', message: expect.stringContaining('Authorize again') },
    });
    expect(await operations(caller)).toEqual(['connect SUCCESS', 'authorize FAILURE']);
    expect((await story.browser().consent(await authorizeLink(caller, connectionId))).status).toBe(200);
    expect(await look(caller, connectionId)).toMatchObject({ status: 'ACTIVE', statusReason: null });
  });

  it.each([
    ['500', 'oauth_server'],
    ['html', 'oauth_lost'],
    ['lose', 'oauth_lost'],
  ] as const)('a token endpoint in trouble (%s) is told as %s', async (trouble, code) => {
    const story = await useOAuthStory();
    const caller = await story.caller();
    const { connectionId, link } = await begin(caller);
    story.front.next(trouble);
    const page = await story.browser().consent(link);
    expect(page.status).toBe(400);
    expect(await page.text()).toContain('<title>Not connected</title>');
    expect(await look(caller, connectionId)).toMatchObject({ status: 'AUTHORIZING', statusReason: { code } });
  });

  it('tokens that the provider does not take are given back', async () => {
    const story = await useOAuthStory();
    const caller = await story.caller();
    const { connectionId, link } = await begin(caller);
    story.example.provider.next('GET /v1/me', answer(exampleError(401)));
    expect((await story.browser().consent(link)).status).toBe(400);
    expect(await look(caller, connectionId)).toMatchObject({
      status: 'AUTHORIZING',
      statusReason: { code: 'http_401' },
      credential: null,
    });
    expect(story.front.revocations.map((form) => form.get('token_type_hint'))).toEqual(['refresh_token']);
    expect(story.front.server.revokedFamilies).toHaveLength(1);
    const { receipts } = await caller.get(ReceiptsDocument);
    expect(receipts.nodes[0]?.result).toMatchObject({ reason: 'http_401', consent: 'revoked' });
  });

  it('what works goes on until the new tokens have proven to work', async () => {
    const story = await useOAuthStory();
    const caller = await story.caller();
    const connectionId = await connected(story, caller);
    const again = async (...say: ['deny'] | []): Promise<number> =>
      (await story.browser().consent(await authorizeLink(caller, connectionId), ...say)).status;
    const isAsItWas = async (): Promise<void> => {
      const connection = await look(caller, connectionId);
      expect(connection).toMatchObject({ status: 'ACTIVE', statusReason: null, credential: { version: 1 } });
      expect(await comment(caller, connectionId)).toMatchObject({ status: 'SUCCEEDED' });
    };

    expect(await again('deny')).toBe(400);
    await isAsItWas();
    story.example.provider.next('GET /v1/me', answer({ status: 200, body: { id: 'acc_2', name: 'Eve' } }));
    expect(await again()).toBe(400);
    await isAsItWas();
    expect(story.front.server.revokedFamilies).toHaveLength(1);
    expect(await again()).toBe(200);
    expect(await look(caller, connectionId)).toMatchObject({ status: 'ACTIVE', credential: { version: 2 } });
    expect(story.front.server.revokedFamilies).toHaveLength(1);
    expect(await comment(caller, connectionId)).toMatchObject({ status: 'SUCCEEDED' });
  });

  it('a connection that was put to rest meanwhile stays so, and no tokens are fetched', async () => {
    const story = await useOAuthStory();
    const caller = await story.caller();
    const connectionId = await connected(story, caller);
    const browser = story.browser();
    const callback = await browser.login(await authorizeLink(caller, connectionId));
    const { connections } = story.app.app.services;
    const owner = { tenantId: 'acme', subject: 'x', scopes: new Set<never>(), correlationId: 'x' };
    await connections.suspend(owner, connectionId, 'Audit.');
    expect(await codeOf(await browser.get(callback))).toBe('AUTHORIZATION_OVER');
    expect(await look(caller, connectionId)).toMatchObject({
      status: 'SUSPENDED',
      statusReason: { code: 'suspended' },
    });
    expect(story.front.tokens.size).toBe(2);
  });
});

describe('the tenant’s own app', () => {
  it('takes the place of the operator’s, for this tenant alone', async () => {
    const story = await useOAuthStory({
      env: {
        TRIBUTARY_PROVIDER_EXAMPLE_CLIENT_ID: 'the-operators',
        TRIBUTARY_PROVIDER_EXAMPLE_CLIENT_SECRET: 'unknown-to-the-server',
      },
    });
    const [caller, stranger] = [await story.caller(), await story.caller('globex')];
    const { clientId, clientSecret } = story.front.server.app;
    const input = { providerId: 'example', clientId, clientSecret: clientSecret.reveal() };
    const { setOAuthApp } = await caller.get(SetOAuthAppDocument, { input });
    expect(setOAuthApp).toEqual({ provider: { id: 'example' }, clientId });
    // Setting it again replaces it, and opens as before.
    await caller.get(SetOAuthAppDocument, { input });
    const appOf = async (who: typeof caller): Promise<string | null> =>
      (await story.browser().open((await begin(who)).link)).searchParams.get('client_id');
    expect([await appOf(caller), await appOf(stranger)]).toEqual([clientId, 'the-operators']);
    await expect(connected(story, caller)).resolves.toBeDefined();

    expect((await caller.get(OAuthAppsDocument)).oauthApps).toMatchObject([{ clientId }]);
    expect((await stranger.get(OAuthAppsDocument)).oauthApps).toEqual([]);
    const removed = await stranger.get(RemoveOAuthAppDocument, { providerId: 'example' });
    expect(removed.removeOAuthApp).toBe(false);
    const rows = await story.app.database.query('select t::text from oauth_apps t');
    expect(JSON.stringify(rows)).not.toContain(Buffer.from(clientSecret.reveal()).toString('hex'));
    const told = [await caller.ask(ReceiptsDocument), await caller.ask(OAuthAppsDocument)];
    expect(JSON.stringify(told)).not.toContain(clientSecret.reveal());

    expect((await caller.get(RemoveOAuthAppDocument, { providerId: 'example' })).removeOAuthApp).toBe(true);
    expect(await appOf(caller)).toBe('the-operators');
    expect((await operations(caller)).filter((operation) => operation.includes('oauth_app'))).toEqual([
      'set_oauth_app SUCCESS',
      'set_oauth_app SUCCESS',
      'remove_oauth_app SUCCESS',
    ]);
  });

  it('is for admins, of providers that there are and that have OAuth', async () => {
    const story = await useOAuthStory();
    const writer = await story.caller('acme', 'integrations:read integrations:write');
    const input = { providerId: 'example', clientId: 'x', clientSecret: 'y' };
    const asked = [
      await writer.ask(SetOAuthAppDocument, { input }),
      await writer.ask(RemoveOAuthAppDocument, { providerId: 'example' }),
      await writer.ask(OAuthAppsDocument),
    ];
    expect(asked.map(({ errors }) => errors[0]?.extensions.code)).toEqual([
      'FORBIDDEN',
      'FORBIDDEN',
      'FORBIDDEN',
    ]);
    const admin = await story.caller();
    const unknown = await admin.ask(SetOAuthAppDocument, { input: { ...input, providerId: 'nobody' } });
    expect(unknown.errors[0]?.extensions.code).toBe('NOT_FOUND');
    const empty = await admin.ask(SetOAuthAppDocument, { input: { ...input, clientId: ' ' } });
    expect(empty.errors[0]?.extensions.code).toBe('INVALID_INPUT');
    const reader = await story.caller('acme', 'integrations:read');
    const refused = await reader.ask(AuthorizeDocument, { connectionId: 'x' });
    expect(refused.errors[0]?.extensions.code).toBe('FORBIDDEN');
  });
});
