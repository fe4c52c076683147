import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import {
  AuthorizeDocument,
  ConnectDocument,
  type ConnectInput,
  ConnectionDocument,
  ExecuteActionDocument,
  ReceiptsDocument,
} from '../../schema/generated/operations.js';
import type { Log } from '../../src/core/log.js';
import { type TestApp, type TestCaller, useTestApp } from './app.js';
import { type TestClock, createTestClock } from './clock.js';
import { type FakeExample, startFakeExample } from './fake-example.js';
import { type OAuthFront, startOAuthFront } from './oauth-front.js';

/** As the world knows the app under test. */
export const PUBLIC_URL = 'https://tributary.example';
export const CALLBACK = `${PUBLIC_URL}/v1/integrations/oauth/callback`;
export const RETURN_TO = 'https://app.example/done';

/** The app with the example provider, whose tokens come from the certified server. */
export interface OAuthStory {
  readonly clock: TestClock;
  readonly front: OAuthFront;
  readonly example: FakeExample;
  readonly app: TestApp;
  /** One with a token that is good at the time of the clock. */
  caller(tenantId?: string, scope?: string): Promise<TestCaller>;
  browser(): Browser;
}

export interface StoryOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly log?: Log;
  /** Another way to the database, given its URL. */
  readonly via?: (url: string) => string;
}

export async function useOAuthStory({ env = {}, log, via }: StoryOptions = {}): Promise<OAuthStory> {
  const clock = createTestClock();
  const front = await startOAuthFront(CALLBACK);
  onTestFinished(() => front.close());
  const example = await startFakeExample(clock);
  onTestFinished(() => example.provider.close());
  example.accept((token) => front.issued.has(token));
  const app = await useTestApp({
    clock,
    ...(log && { log }),
    ...(via && { via }),
    env: {
      PUBLIC_URL,
      OAUTH_RETURN_TO: 'https://app.example',
      TRIBUTARY_PROVIDER_EXAMPLE_BASE_URL: example.provider.url,
      TRIBUTARY_PROVIDER_EXAMPLE_OAUTH_URL: front.url,
      TRIBUTARY_PROVIDER_EXAMPLE_CLIENT_ID: front.server.app.clientId,
      TRIBUTARY_PROVIDER_EXAMPLE_CLIENT_SECRET: front.server.app.clientSecret.reveal(),
      ...env,
    },
  });
  return { clock, front, example, app, caller: app.caller, browser: () => createBrowser(app, front) };
}

/** Somebody's browser: it keeps cookies, and shows where it is sent instead of going there. */
export interface Browser {
  get(url: string): Promise<Response>;
  /** Presses the button of our page at this address. */
  press(link: string): Promise<Response>;
  /** Opens our link and presses the button; answers the address at the provider. */
  open(link: string): Promise<URL>;
  /** Opens our link and signs in at the provider; answers the address of our callback. */
  login(link: string, answer?: 'allow' | 'deny'): Promise<string>;
  /** The same, and on to where our callback leads. */
  consent(link: string, answer?: 'allow' | 'deny'): Promise<Response>;
}

function createBrowser({ url }: TestApp, { server }: OAuthFront): Browser {
  let cookie = '';
  async function visit(address: string, init: RequestInit = {}): Promise<Response> {
    const answer = await fetch(address.replace(PUBLIC_URL, url), {
      ...init,
      redirect: 'manual',
      ...(cookie && { headers: { cookie: `theme=dark; ${cookie}` } }),
    });
    cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? cookie;
    return answer;
  }
  const browser: Browser = {
    get: visit,
    press: (link) => visit(link, { method: 'POST', body: new URLSearchParams() }),
    async open(link) {
      const page = await browser.get(link);
      if (page.status !== 200) throw new Error(`${page.status}: ${await page.text()}`);
      const answer = await browser.press(link);
      if (answer.status !== 303) throw new Error(`${answer.status}: ${await answer.text()}`);
      return new URL(answer.headers.get('location') ?? '');
    },
    async login(link, answer) {
      const { search } = await browser.open(link);
      const query = await server.login(new URL(`${server.url}/auth${search}`), answer);
      return `${CALLBACK}?${query.toString()}`;
    },
    consent: async (link, answer) => browser.get(await browser.login(link, answer)),
  };
  return browser;
}

/** A connection that waits for a person, and the link for that person. */
export async function begin(
  caller: TestCaller,
  input: Partial<ConnectInput> = {},
): Promise<{ readonly connectionId: string; readonly link: string }> {
  const { connect } = await caller.get(ConnectDocument, {
    input: { providerId: 'example', name: randomUUID(), authMethod: 'OAUTH2', ...input },
  });
  return { connectionId: connect.connection.id, link: connect.authorizationUrl ?? '' };
}

/** One that is connected. */
export async function connected(story: OAuthStory, caller: TestCaller): Promise<string> {
  const { connectionId, link } = await begin(caller);
  const answer = await story.browser().consent(link);
  if (answer.status !== 200) throw new Error(`${answer.status}: ${await answer.text()}`);
  return connectionId;
}

export async function authorizeLink(
  caller: TestCaller,
  connectionId: string,
  returnTo?: string,
): Promise<string> {
  return (await caller.get(AuthorizeDocument, { connectionId, returnTo })).authorize.authorizationUrl;
}

export async function look(caller: TestCaller, id: string) {
  const { connection } = await caller.get(ConnectionDocument, { id });
  if (!connection) throw new Error(`there is no connection ${id}`);
  return connection;
}

/** Receipts in the words `verb OUTCOME`, oldest first. */
export async function operations(caller: TestCaller): Promise<string[]> {
  const { receipts } = await caller.get(ReceiptsDocument, { first: 100 });
  return receipts.nodes
    .map(({ operation, outcome }) => `${operation.split('.').at(-1)} ${outcome}`)
    .toReversed();
}

/** Comments on the one issue there is. */
export async function comment(caller: TestCaller, connectionId: string) {
  const action = { addIssueComment: { project: 'DEMO', issue: 'DEMO-1', body: 'Hello.' } };
  const { executeAction } = await caller.get(ExecuteActionDocument, {
    input: { connectionId, idempotencyKey: randomUUID(), action },
  });
  return executeAction;
}
