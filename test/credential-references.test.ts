import { describe, expect, it, onTestFinished } from 'vitest';
import { ConnectDocument, RotateDocument, VerifyDocument } from '../schema/generated/operations.js';
import { type TestApp, type TestCaller, useTestApp } from './support/app.js';
import { type TestClock, createTestClock } from './support/clock.js';
import { type FakeExample, startFakeExample } from './support/fake-example.js';
import { comment, look } from './support/oauth-story.js';

interface Story {
  readonly clock: TestClock;
  readonly example: FakeExample;
  readonly app: TestApp;
  readonly caller: TestCaller;
  /** Changes the secret at its source; undefined takes it away. */
  change(value: string | undefined): void;
}

const NAME = 'TRIBUTARY_SECRET_EXAMPLE';
const FIRST = 'ex_live_first_0123456789abcdef';
const SECOND = 'ex_live_second_0123456789abcdef';

async function story(patterns = 'shared:env://*'): Promise<Story> {
  const clock = createTestClock();
  const example = await startFakeExample(clock);
  onTestFinished(() => example.provider.close());
  example.accept((token) => token === FIRST);
  const app = await useTestApp({
    clock,
    env: {
      TRIBUTARY_PROVIDER_EXAMPLE_BASE_URL: example.provider.url,
      TRIBUTARY_SECRET_REFERENCES: patterns,
      [NAME]: FIRST,
    },
  });
  const variables = app.config.secretVariables as Record<string, string | undefined>;
  return {
    clock,
    example,
    app,
    caller: await app.caller(),
    change: (value) => void (variables[NAME] = value),
  };
}

async function connect({ caller }: Story, credential: Record<string, unknown>): Promise<string> {
  const input = { providerId: 'example', name: 'main', authMethod: 'BEARER', credential } as const;
  const { connect: made } = await caller.get(ConnectDocument, { input });
  const connectionId = made.connection.id;
  const { verify } = await caller.get(VerifyDocument, { connectionId });
  expect(verify.status).toBe('ACTIVE');
  return connectionId;
}

/** Which tokens the provider was shown with comments. */
const shown = ({ example }: Story): string[] =>
  example.provider.requests
    .filter(({ path }) => path.endsWith('/comments'))
    .map(({ headers }) => headers['authorization']?.replace('Bearer ', '') ?? '');

/** Comments, and answers by which tokens. */
async function commentBy(s: Story, connectionId: string): Promise<string[]> {
  const before = shown(s).length;
  expect(await comment(s.caller, connectionId)).toMatchObject({ status: 'SUCCEEDED' });
  return shown(s).slice(before);
}

describe('a credential that was rotated', () => {
  it('gives way to the one before when it is refused, for as long as the overlap lasts', async () => {
    const s = await story();
    const connectionId = await connect(s, { token: FIRST });
    s.example.accept(() => true);
    const input = {
      connectionId,
      what: 'CREDENTIAL',
      credential: { token: SECOND },
      overlapSeconds: 600,
    } as const;
    const { rotate } = await s.caller.get(RotateDocument, { input });
    expect(rotate).toMatchObject({ failure: null, connection: { credential: { version: 2 } } });
    // The provider has not heard of the new one everywhere yet.
    s.example.accept((token) => token === FIRST);
    await expect.poll(() => commentBy(s, connectionId)).toEqual([SECOND, FIRST]);
    s.example.accept((token) => token === SECOND);
    expect(await comment(s.caller, connectionId)).toMatchObject({ status: 'SUCCEEDED' });
    expect(shown(s).slice(-1)).toEqual([SECOND]);

    s.example.accept((token) => token === FIRST);
    s.clock.advance(601_000);
    expect(await comment(s.caller, connectionId)).toMatchObject({
      status: 'FAILED',
      failure: { category: 'AUTH', providerStatus: 401 },
    });
    expect(shown(s).slice(-2)).toEqual([SECOND, SECOND]);
  });

  it('to a reference gives way as well, when what it refers to is what was refused', async () => {
    const s = await story();
    s.change(SECOND);
    const connectionId = await connect(s, { token: FIRST });
    s.example.accept(() => true);
    const credential = { token: `env://${NAME}` };
    const { rotate } = await s.caller.get(RotateDocument, {
      input: { connectionId, what: 'CREDENTIAL', credential },
    });
    expect(rotate).toMatchObject({ failure: null, connection: { credential: { version: 2 } } });
    s.example.accept((token) => token === FIRST);
    // The opened credential is forgotten a moment after the rotation is committed.
    await expect.poll(() => commentBy(s, connectionId)).toEqual([SECOND, FIRST]);
  });
});

describe('a credential by reference', () => {
  it.each([
    ['a field', { token: `env://${NAME}` }],
    ['the whole', { reference: `env://${NAME}` }],
  ])('(%s) is followed when it is used, and its value is never stored', async (_, credential) => {
    const s = await story();
    const connectionId = await connect(s, credential);
    expect(await comment(s.caller, connectionId)).toMatchObject({ status: 'SUCCEEDED' });
    expect(shown(s)).toEqual([FIRST]);
    const tables = await s.app.database.query<{ name: string }>(
      `select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`,
    );
    for (const { name } of tables) {
      const rows = JSON.stringify(await s.app.database.query(`select t::text from ${name} t`));
      expect(rows, name).not.toContain(FIRST);
      expect(rows, name).not.toContain(Buffer.from(FIRST).toString('hex'));
    }
  });

  it('whose value changed is used within the minute, and at once when the old value is refused', async () => {
    const s = await story();
    s.example.accept(() => true);
    const connectionId = await connect(s, { token: `env://${NAME}` });
    s.change(SECOND);
    expect(await comment(s.caller, connectionId)).toMatchObject({ status: 'SUCCEEDED' });
    s.clock.advance(61_000);
    expect(await comment(s.caller, connectionId)).toMatchObject({ status: 'SUCCEEDED' });
    expect(shown(s)).toEqual([FIRST, SECOND]);

    s.change(FIRST);
    s.example.accept((token) => token === FIRST);
    expect(await comment(s.caller, connectionId)).toMatchObject({ status: 'SUCCEEDED', attempts: 1 });
    expect(shown(s).slice(2)).toEqual([SECOND, FIRST]);
  });

  it('that leads nowhere, or where the tenant may not go, is refused at once', async () => {
    const s = await story('shared:env://TRIBUTARY_SECRET_EXAMPLE,shared:env://TRIBUTARY_SECRET_GONE');
    const refusalOf = async (credential: Record<string, unknown>) => {
      const input = { providerId: 'example', name: 'main', authMethod: 'BEARER', credential } as const;
      return (await s.caller.ask(ConnectDocument, { input })).errors[0];
    };
    for (const reference of [
      'TRIBUTARY_SECRET_GONE',
      'TRIBUTARY_SECRET_OTHER',
      'TRIBUTARY_MASTER_KEY',
      '..',
    ]) {
      for (const credential of [{ token: `env://${reference}` }, { reference: `env://${reference}` }]) {
        const refusal = await refusalOf(credential);
        expect(refusal?.extensions, reference).toMatchObject({
          code: 'INVALID_INPUT',
          details: { problems: [{ field: 'credential.token' }] },
        });
      }
    }
    expect((await refusalOf({ token: `env://${NAME}`, more: 'x' }))?.extensions.code).toBe('INVALID_INPUT');
    expect(await s.app.database.query('select id from connections')).toEqual([]);
  });

  it('that goes missing later is told, by actions and by verify, and mended at its source', async () => {
    const s = await story();
    const connectionId = await connect(s, { token: `env://${NAME}` });
    s.change(undefined);
    s.clock.advance(61_000);
    expect(await comment(s.caller, connectionId)).toMatchObject({
      status: 'FAILED',
      failure: { category: 'AUTH', code: 'secret_missing' },
    });
    const verify = async () => (await s.caller.get(VerifyDocument, { connectionId })).verify.status;
    expect(await verify()).toBe('ERROR');
    expect(await look(s.caller, connectionId)).toMatchObject({
      statusReason: { code: 'secret_missing', message: expect.stringContaining('rotate this connection') },
      health: { status: 'UNHEALTHY' },
    });
    s.change(FIRST);
    expect(await verify()).toBe('ACTIVE');
    expect(await comment(s.caller, connectionId)).toMatchObject({ status: 'SUCCEEDED' });
  });
});
