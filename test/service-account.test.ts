import { generateKeyPairSync, verify } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import {
  ConnectDocument,
  ConnectionDocument,
  ExecuteActionDocument,
  RotateDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { type TestApp, type TestCaller, useTestApp } from './support/app.js';
import { type TestClock, createTestClock } from './support/clock.js';
import { startFakeExample } from './support/fake-example.js';
import { startFakeProvider } from './support/fake-provider.js';
import { type FakeGitHub, startFakeGitHub } from './support/fake-github.js';

const HOUR_MS = 3_600_000;

interface Story {
  readonly app: TestApp;
  readonly clock: TestClock;
  readonly github: FakeGitHub;
  readonly caller: TestCaller;
  readonly privateKey: string;
  /** What the App has signed, one for each token that was asked for. */
  readonly claims: Record<string, unknown>[];
}

/** GitHub as an App's installation sees it: tokens for what the App signs, and none of the answers that users get. */
async function story(): Promise<Story> {
  const clock = createTestClock();
  const github = await startFakeGitHub(clock);
  onTestFinished(() => github.provider.close());
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const claims: Record<string, unknown>[] = [];
  github.provider.on('POST /app/installations/{id}/access_tokens', ({ headers, path }) => {
    const jwt = (headers['authorization'] ?? '').replace('Bearer ', '');
    const [header = '', payload = '', signature = ''] = jwt.split('.');
    const isOurs = verify(
      'sha256',
      Buffer.from(`${header}.${payload}`),
      publicKey,
      Buffer.from(signature, 'base64url'),
    );
    if (!isOurs) return { status: 401, body: { message: 'A JSON web token could not be decoded' } };
    claims.push({ ...JSON.parse(Buffer.from(payload, 'base64url').toString()), path });
    const expiresAt = new Date(clock.now().getTime() + HOUR_MS).toISOString();
    return { status: 201, body: { token: github.token, expires_at: expiresAt } };
  });
  github.provider.on('GET /user', () => ({
    status: 403,
    body: { message: 'Resource not accessible by integration' },
  }));
  github.provider.on('GET /installation/repositories', () => ({
    status: 200,
    body: {
      total_count: 1,
      repositories: [{ id: 1, owner: { id: 77, login: 'octo', html_url: 'https://github.com/octo' } }],
    },
  }));
  const app = await useTestApp({ clock, env: { TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url } });
  const caller = await app.caller();
  // As GitHub hands it out.
  const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  return { app, clock, github, caller, privateKey: pem, claims };
}

async function connect({ caller, privateKey }: Story, credential: Record<string, string> = {}) {
  const input = {
    providerId: 'github',
    name: 'our app',
    authMethod: 'SERVICE_ACCOUNT',
    credential: { appId: 'Iv1.tributary', installationId: '4711', privateKey, ...credential },
  } as const;
  return caller.ask(ConnectDocument, { input });
}

async function comment({ app }: Story, connectionId: string, idempotencyKey: string) {
  // The clock may have run past an earlier token's end.
  const caller = await app.caller();
  const action = { addIssueComment: { project: 'octo/demo', issue: '1', body: 'x' } };
  return caller.get(ExecuteActionDocument, { input: { connectionId, idempotencyKey, action } });
}

it('a GitHub App signs for itself, gets a token for an hour, and a new one when that ends', async () => {
  const s = await story();
  const { data } = await connect(s);
  const connectionId = data?.connect.connection.id ?? '';
  const { verify: verified } = await s.caller.get(VerifyDocument, { connectionId });
  expect(verified).toMatchObject({ status: 'ACTIVE', account: { id: '77', name: 'octo' } });
  expect(s.claims).toHaveLength(1);
  const [first] = s.claims;
  expect(first).toMatchObject({ iss: 'Iv1.tributary', path: '/app/installations/4711/access_tokens' });
  expect(Number(first?.['exp']) - Number(first?.['iat'])).toBeLessThanOrEqual(600);

  expect((await comment(s, connectionId, 'a')).executeAction.status).toBe('SUCCEEDED');
  expect(s.claims).toHaveLength(1);
  s.clock.advance(HOUR_MS);
  expect((await comment(s, connectionId, 'b')).executeAction.status).toBe('SUCCEEDED');
  expect(s.claims).toHaveLength(2);
});

it('a key that is none, and one that GitHub does not know, are told and change nothing', async () => {
  const s = await story();
  const { data } = await connect(s, { privateKey: 'not a key' });
  const connectionId = data?.connect.connection.id ?? '';
  const { verify: verified } = await s.caller.get(VerifyDocument, { connectionId });
  expect(verified).toMatchObject({
    status: 'ERROR',
    statusReason: { message: expect.stringContaining('private key') },
  });
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const privateKey = other.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const rotate = (key: string) =>
    s.caller.get(RotateDocument, {
      input: {
        connectionId,
        what: 'CREDENTIAL',
        credential: { appId: 'Iv1.tributary', installationId: '4711', privateKey: key },
      },
    });
  expect((await rotate(privateKey)).rotate.failure).toMatchObject({ category: 'AUTH' });
  const mended = await rotate(s.privateKey);
  expect(mended.rotate).toMatchObject({ failure: null, connection: { status: 'ACTIVE' } });
  const { connection } = await s.caller.get(ConnectionDocument, { id: connectionId });
  expect(connection?.credential?.version).toBe(2);
});

it('needs the fields of an App, not those of a token', async () => {
  const s = await story();
  const { errors } = await s.caller.ask(ConnectDocument, {
    input: { providerId: 'github', name: 'x', authMethod: 'SERVICE_ACCOUNT', credential: { token: 'ghp_x' } },
  });
  expect(errors[0]?.extensions).toMatchObject({ code: 'INVALID_INPUT' });
  expect(errors[0]?.message).toContain('credential.appId');
});

it('without a way of the provider’s own, an account vouches for itself by RFC 7523', async () => {
  const clock = createTestClock();
  const example = await startFakeExample(clock);
  onTestFinished(() => example.provider.close());
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const claims: Record<string, unknown>[] = [];
  const server = await startFakeProvider();
  onTestFinished(() => server.close());
  server.on('POST /token', ({ text }) => {
    const form = new URLSearchParams(text);
    const [header = '', payload = '', signature = ''] = (form.get('assertion') ?? '').split('.');
    const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
    const isTheirs = verify(
      'sha256',
      Buffer.from(`${header}.${payload}`),
      key,
      Buffer.from(signature, 'base64url'),
    );
    if (!isTheirs) return { status: 400, body: { error: 'invalid_grant' } };
    claims.push(JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>);
    return { status: 200, body: { access_token: example.token, token_type: 'Bearer', expires_in: 3600 } };
  });
  const env = {
    TRIBUTARY_PROVIDER_EXAMPLE_BASE_URL: example.provider.url,
    TRIBUTARY_PROVIDER_EXAMPLE_OAUTH_URL: server.url,
  };
  const caller = await (await useTestApp({ clock, env })).caller();
  const credential = {
    issuer: 'robot',
    subject: 'ada',
    algorithm: 'ES256',
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
  const input = { providerId: 'example', name: 'robot', authMethod: 'SERVICE_ACCOUNT', credential } as const;
  const { connect: made } = await caller.get(ConnectDocument, { input });
  const { verify: verified } = await caller.get(VerifyDocument, { connectionId: made.connection.id });
  expect(verified).toMatchObject({ status: 'ACTIVE' });
  expect(claims).toMatchObject([
    { iss: 'robot', sub: 'ada', scope: 'openid read', aud: `${server.url}/token` },
  ]);
});
