import { randomBytes } from 'node:crypto';
import { print } from 'graphql';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ConnectionDocument,
  DisconnectDocument,
  OAuthAppsDocument,
  ReceiptsDocument,
  RemoveOAuthAppDocument,
  SetOAuthAppDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { type TestApp, type TestCaller, useTestApp } from './support/app.js';
import { type TestClock, createTestClock } from './support/clock.js';
import { type FakeExample, startFakeExample } from './support/fake-example.js';
import { type FakeGitHub, startFakeGitHub } from './support/fake-github.js';
import { GOOD_CODE, serveGitHubOAuth } from './support/fake-github-oauth.js';
import { type FakeProvider, type FakeRequest, startFakeProvider } from './support/fake-provider.js';
import { type OAuthStory, authorizeLink, begin, useOAuthStory } from './support/oauth-story.js';
import {
  type Planted,
  type Watched,
  createPlanted,
  createWatched,
  openLink,
  repeat,
  repetitions,
  tryToComment,
} from './support/secrets.js';

const made = (kind: string): string => `${kind}_${randomBytes(15).toString('hex')}`;

async function expectClean(planted: Planted, watched: Watched, ...apps: TestApp[]): Promise<void> {
  const places = await watched.places(...apps);
  expect(places['tables']).toContain('acme');
  planted.expectNoneIn(places);
}

/** All that shows how a connection stands. */
async function lookAround(caller: TestCaller, id: string): Promise<void> {
  await caller.ask(ConnectionDocument, { id });
  for (const document of [ReceiptsDocument, OAuthAppsDocument]) await caller.ask(print(document));
}

describe('of a consent, nothing shows that may not be seen:', () => {
  interface Consent {
    readonly story: OAuthStory;
    readonly watched: Watched;
    readonly planted: Planted;
    caller(): Promise<TestCaller>;
    /** Through the provider and back, as a browser goes; all that it has to hide is planted. */
    consent(link: string, change?: (callback: string) => string): Promise<void>;
  }

  async function useConsent(): Promise<Consent> {
    const [watched, planted] = [createWatched(), createPlanted()];
    const story = await useOAuthStory({ log: watched.log });
    const { clientId, clientSecret } = story.front.server.app;
    planted.plantBasic('the operator’s client secret', clientId, clientSecret.reveal());
    return {
      story,
      watched,
      planted,
      async caller() {
        const caller = await story.caller();
        planted.plant('a caller’s token', caller.token);
        return watched.keep(caller);
      },
      async consent(link, change = (callback) => callback) {
        const address = link.replace(/^https:\/\/[^/]+/, story.app.url);
        const { cookie, provider } = await openLink({ watched, planted }, address);
        const { server } = story.front;
        const query = await server.login(new URL(`${server.url}/auth${provider.search}`));
        planted.plant('a code', query.get('code') ?? '');
        const callback = change(`${story.app.url}/v1/integrations/oauth/callback?${query.toString()}`);
        for (const accept of ['text/html', 'application/json', '*/*'])
          await watched.request(callback, { headers: { cookie, accept } });
      },
    };
  }

  it('by whoever consents, is denied, comes late, comes twice, or changes something', async () => {
    const { story, watched, planted, caller, consent } = await useConsent();
    const someone = await caller();
    watched.follow(
      someone,
      'subscription { connectionChanged { verb outcome connection { statusReason { code message } } } }',
    );
    const { connectionId, link } = await begin(someone);
    await consent(link);
    await consent(await authorizeLink(someone, connectionId), (callback) =>
      callback.replace(/code=[^&]+/, (code) => `${code}x`),
    );
    await consent(
      await authorizeLink(someone, connectionId),
      (callback) => `${callback}&error=access_denied`,
    );
    await consent(await authorizeLink(someone, connectionId), (callback) =>
      callback.replace(/code=([^&]+)/, 'error=$1&error_description=$1&error_uri=https://x.example/$1'),
    );
    await consent(await authorizeLink(someone, connectionId), (callback) =>
      callback.replace(/state=[^&]+/, (state) => `${state}x`),
    );
    await consent(await authorizeLink(someone, connectionId), (callback) => {
      story.clock.advance(11 * 60_000);
      return callback;
    });
    const later = await caller();
    for (const trouble of ['500', 'html', 'lose'] as const) {
      story.front.next(trouble);
      await consent(await authorizeLink(later, connectionId));
    }
    story.example.provider.next(
      'GET /v1/me',
      repeat(
        401,
        (text) => text,
        ({ headers }) => headers['authorization'] ?? '',
      ),
    );
    await consent(await authorizeLink(later, connectionId));
    await lookAround(later, connectionId);
    for (const token of story.front.tokens) planted.plant('a token', token);
    expect(story.front.tokens.size).toBeGreaterThan(3);
    // The verifier of a flow that is open, which nobody but us has ever seen.
    await authorizeLink(later, connectionId);
    await expectClean(planted, watched, story.app);
  });

  it('while tokens are renewed, refused, lost and given back', async () => {
    const { story, watched, planted, caller, consent } = await useConsent();
    const someone = await caller();
    const { connectionId, link } = await begin(someone);
    await consent(link);
    for (const trouble of ['500', 'html', undefined, 'lose'] as const) {
      story.clock.advance(3_700_000);
      if (trouble) story.front.next(trouble);
      const now = await caller();
      await tryToComment(now, connectionId);
      await story.app.app.services.connections.renewDue();
      await lookAround(now, connectionId);
    }
    const last = await caller();
    await last.ask(VerifyDocument, { connectionId });
    await lookAround(last, connectionId);
    await consent(await authorizeLink(last, connectionId));
    await last.ask(DisconnectDocument, { connectionId });
    for (const token of story.front.tokens) planted.plant('a token', token);
    expect(story.front.tokens.size).toBeGreaterThan(3);
    await expectClean(planted, watched, story.app);
  });
});

interface World {
  readonly clock: TestClock;
  readonly app: TestApp;
  readonly watched: Watched;
  readonly planted: Planted;
  caller(): Promise<TestCaller>;
}

async function useWorld(env: Readonly<Record<string, string>>): Promise<World> {
  const clock = createTestClock();
  const [watched, planted] = [createWatched(), createPlanted()];
  const app = await useTestApp({ clock, log: watched.log, env });
  return {
    clock,
    app,
    watched,
    planted,
    async caller() {
      const caller = await app.caller();
      planted.plant('a caller’s token', caller.token);
      return watched.keep(caller);
    },
  };
}

async function useProvider(): Promise<FakeProvider> {
  const provider = await startFakeProvider();
  onTestFinished(() => provider.close());
  return provider;
}

async function useExample(clock = createTestClock()): Promise<FakeExample> {
  const example = await startFakeExample(clock);
  onTestFinished(() => example.provider.close());
  return example;
}

async function useGitHub(clock = createTestClock()): Promise<FakeGitHub> {
  const github = await startFakeGitHub(clock);
  onTestFinished(() => github.provider.close());
  return github;
}

describe('an authorization server that repeats what it was sent', () => {
  /** What a token endpoint was sent: its fields, each alone, and what proves the client. */
  const fields = ['code', 'code_verifier', 'refresh_token', 'client_secret', 'authorization'] as const;

  it.each(Object.keys(repetitions))('%s, tells nobody but us', async (name) => {
    const endpoint = await useProvider();
    const example = await useExample();
    const w = await useWorld({
      TRIBUTARY_PROVIDER_EXAMPLE_BASE_URL: example.provider.url,
      TRIBUTARY_PROVIDER_EXAMPLE_OAUTH_URL: endpoint.url,
    });
    const caller = await w.caller();
    const secret = made('client');
    w.planted.plantBasic('the tenant’s client secret', 'our-app', secret);
    await caller.get(SetOAuthAppDocument, {
      input: { providerId: 'example', clientId: 'our-app', clientSecret: secret },
    });
    for (const wrong of [{ [secret]: secret }, { clientSecret: [secret] }, { clientId: { of: secret } }])
      await caller.ask(print(SetOAuthAppDocument), { input: { providerId: 'example', ...wrong } });

    const form = repetitions[name]!;
    const sent = (
      { headers, text }: { headers: Readonly<Record<string, string>>; text: string },
      field: string,
    ) => (field === 'authorization' ? headers[field] : new URLSearchParams(text).get(field)) ?? '';
    const { connectionId } = await begin(caller);
    const code = w.planted.plant('the code', made('code'));
    const [access, refresh] = [made('access'), made('refresh')];
    w.planted.plant('the access token', access);
    w.planted.plant('the refresh token', refresh);
    example.accept((token) => token === access);

    const authorize = async (): Promise<void> => {
      const link = await authorizeLink(caller, connectionId);
      const { cookie, provider } = await openLink(w, link);
      const state = provider.searchParams.get('state') ?? '';
      const query = new URLSearchParams({ code, state });
      const callback = new URL(`/v1/integrations/oauth/callback?${query.toString()}`, link);
      await w.watched.request(callback.href, { headers: { cookie, accept: 'text/html' } });
    };
    const told = async (work: () => Promise<unknown>): Promise<void> => {
      for (const field of fields) {
        for (const status of [200, 400, 401, 500]) {
          endpoint.next(
            () => true,
            ({ request, send }) => {
              const text = form(sent(request, field));
              if (text === '') return send({ status, body: { error: 'invalid_request' } });
              send({
                status,
                headers: { location: `https://x.example/?${encodeURIComponent(text)}` },
                body: { error: text, error_description: text, error_uri: text },
              });
            },
          );
          await work();
          w.clock.advance(61_000);
        }
      }
    };
    await told(authorize);
    for (const { text } of endpoint.requests) {
      const verifier = new URLSearchParams(text).get('code_verifier');
      if (verifier) w.planted.plant('a verifier', verifier);
    }
    const tokens = { access_token: access, token_type: 'bearer', expires_in: 3_600, refresh_token: refresh };
    endpoint.on('POST /token', () => ({ status: 200, body: tokens }));
    await authorize();
    const connected = await caller.get(ConnectionDocument, { id: connectionId });
    expect(connected.connection?.status).toBe('ACTIVE');
    await lookAround(caller, connectionId);
    w.clock.advance(3_700_000);
    await told(async () => w.app.app.services.connections.renewDue());
    const later = await w.caller();
    await lookAround(later, connectionId);
    await later.ask(RemoveOAuthAppDocument, { providerId: 'example' });
    await expectClean(w.planted, w.watched, w.app);
  });

  it.each(Object.keys(repetitions))('%s, when a consent is given back in its own way', async (name) => {
    const github = await useGitHub();
    const secret = made('client');
    serveGitHubOAuth(github.provider, { clientId: 'our-app', clientSecret: secret, token: github.token });
    const w = await useWorld({
      TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url,
      TRIBUTARY_PROVIDER_GITHUB_OAUTH_URL: github.provider.url,
      TRIBUTARY_PROVIDER_GITHUB_CLIENT_ID: 'our-app',
      TRIBUTARY_PROVIDER_GITHUB_CLIENT_SECRET: secret,
    });
    w.planted.plantBasic('the operator’s client secret', 'our-app', secret);
    w.planted.plant('the access token', github.token);
    const caller = await w.caller();
    for (const pick of [
      ({ headers }: FakeRequest) => headers['authorization'] ?? '',
      ({ body }: FakeRequest) => (body as { access_token: string }).access_token,
    ]) {
      const { connectionId, link } = await begin(caller, { providerId: 'github' });
      const { cookie, provider } = await openLink(w, link);
      const state = provider.searchParams.get('state') ?? '';
      const query = new URLSearchParams({ code: GOOD_CODE, state });
      const callback = new URL(`/v1/integrations/oauth/callback?${query.toString()}`, link);
      await w.watched.request(callback.href, { headers: { cookie } });
      const { connection } = await caller.get(ConnectionDocument, { id: connectionId });
      expect(connection?.status).toBe('ACTIVE');
      const given = repeat(422, repetitions[name]!, pick);
      github.provider.next(({ method }) => method === 'DELETE', given);
      await caller.ask(DisconnectDocument, { connectionId });
      await lookAround(caller, connectionId);
    }
    expect((await w.watched.places(w.app))['logs']).toContain('could not be revoked');
    await expectClean(w.planted, w.watched, w.app);
  });
});
