import { describe, expect, it, onTestFinished } from 'vitest';
import { createTestClock } from '../../../test/support/clock.js';
import { answer } from '../../../test/support/fake-behavior.js';
import { type FakeAws, awsError, startFakeAws } from '../../../test/support/fake-secrets/aws.js';
import { failureOf, referencesTo } from '../../../test/support/fake-secrets/contract.js';
import { parseReferencePatterns } from './allow-list.js';
import { type SecretReferences, type SecretReferencesOptions, createSecretReferences } from './references.js';

const NAME = 'tributary/acme/github';
const REFERENCE = `aws-sm://${NAME}#token`;

interface Setup {
  readonly fake: FakeAws;
  readonly references: SecretReferences;
  put(token: string): void;
  /** The token that acme gets, or the kind of the error. */
  get(reference?: string, fresh?: boolean): Promise<unknown>;
}

async function start(more: Partial<SecretReferencesOptions> = {}): Promise<Setup> {
  const fake = await startFakeAws();
  const pattern = 'aws-sm://tributary/{tenant}/*';
  const references = referencesTo({ fake, options: { aws: fake.options }, pattern }, more);
  const put = (token: string) =>
    void fake.secrets.set(NAME, [
      { id: 'x'.repeat(32), stages: ['AWSCURRENT'], text: JSON.stringify({ token, user: `of ${token}` }) },
    ]);
  put('one');
  const get = (reference = REFERENCE, fresh = false) =>
    references.resolve(reference, 'acme', { fresh }).then(
      (secret) => secret.reveal(),
      (error: { kind: string }) => error.kind,
    );
  return { fake, references, put, get };
}

describe('a secret that was looked up', () => {
  it('is kept for a minute and not longer', async () => {
    const clock = createTestClock();
    const { put, get, fake } = await start({ clock });
    expect(await get()).toBe('one');
    put('two');
    clock.advance(55_000);
    expect(await get()).toBe('one');
    expect(fake.requests).toHaveLength(1);
    clock.advance(5_001);
    expect(await get()).toBe('two');
  });

  it('is kept whole: its fields are of one version', async () => {
    const { put, get, fake } = await start();
    expect(await get()).toBe('one');
    put('two');
    expect(await get(`aws-sm://${NAME}#user`)).toBe('of one');
    expect(await get(`aws-sm://tributary/%61cme/github#user`)).toBe('of one');
    expect(fake.requests).toHaveLength(1);
    expect(await get(`aws-sm://${NAME}?stage=AWSCURRENT#user`)).toBe('of two');
  });

  it('is looked up anew when it must be fresh, and then is what is kept', async () => {
    const { put, get } = await start();
    await get();
    put('two');
    expect(await get(REFERENCE, true)).toBe('two');
    expect(await get()).toBe('two');
  });

  it('is not kept when a fresh one could not be had', async () => {
    const { fake, get } = await start();
    await get();
    fake.failing.set(NAME, 'AccessDeniedException');
    expect(await get(REFERENCE, true)).toBe('denied');
    expect(await get()).toBe('denied');
  });

  it.each<[string, (references: SecretReferences) => void]>([
    ['forgotten, by any of its fields', (references) => references.forget(`aws-sm://${NAME}#user`)],
    ['cleared', (references) => references.clear()],
  ])('is looked up anew once it is %s', async (_, forget) => {
    const { references, put, get } = await start();
    await get();
    put('two');
    forget(references);
    expect(await get()).toBe('two');
  });

  it('is given only to who may have it, kept or not', async () => {
    const { references, fake, get } = await start();
    await get();
    const error = await failureOf(references.resolve(REFERENCE, 'other'));
    expect(error).toMatchObject({ kind: 'forbidden', message: expect.not.stringContaining('acme') });
    expect(fake.requests).toHaveLength(1);
  });
});

describe('questions at the same time', () => {
  it('about one secret are one question', async () => {
    const { fake, get } = await start();
    const all = [get(), get(`aws-sm://${NAME}#user`), get(REFERENCE, true), get()];
    expect(await Promise.all(all)).toEqual(['one', 'of one', 'one', 'one']);
    expect(fake.requests).toHaveLength(1);
  });

  it('fail together, and the failure is not kept', async () => {
    const { fake, get } = await start();
    fake.next('POST /', answer(awsError('ResourceNotFoundException')));
    expect(await Promise.all([get(), get()])).toEqual(['missing', 'missing']);
    expect(fake.requests).toHaveLength(1);
    expect(await get()).toBe('one');
  });

  it('do not bring back what was forgotten meanwhile', async () => {
    const { fake, references, put, get } = await start();
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    fake.next('POST /', async ({ perform, send }) => {
      const old = perform();
      await held;
      send(old);
    });
    const slow = get();
    await fake.waitForRequest('POST /');
    references.forget(REFERENCE);
    put('two');
    expect(await get()).toBe('two');
    release();
    expect(await slow).toBe('one');
    expect(await get()).toBe('two');
  });
});

describe('an empty secret', () => {
  it('is missing', async () => {
    const { fake, get } = await start();
    fake.secrets.set(NAME, [{ id: 'x', stages: ['AWSCURRENT'], text: '' }]);
    expect(await get(`aws-sm://${NAME}`)).toBe('missing');
  });
});

describe('env://', () => {
  function resolve(more: Partial<SecretReferencesOptions>): Promise<unknown> {
    const references = createSecretReferences({
      environment: 'dev',
      patterns: parseReferencePatterns(['shared:env://*']),
      variables: { TRIBUTARY_SECRET_A: 'from the environment', TRIBUTARY_MASTER_KEY: 'planted' },
      ...more,
    });
    onTestFinished(() => references.close());
    return references.resolve('env://TRIBUTARY_SECRET_A', 'acme').then((secret) => secret.reveal());
  }

  it('reads what it was given, in development', async () => {
    expect(await resolve({})).toBe('from the environment');
  });

  it.each(['stage', 'prod'] as const)('is forbidden in %s', async (environment) => {
    expect(await failureOf(resolve({ environment }))).toMatchObject({ kind: 'forbidden' });
  });

  it('is forbidden without a pattern', async () => {
    expect(await failureOf(resolve({ patterns: [] }))).toMatchObject({ kind: 'forbidden' });
  });

  it.each([{}, { TRIBUTARY_SECRET_A: '' }])('is missing among %j', async (variables) => {
    expect(await failureOf(resolve({ variables }))).toMatchObject({ kind: 'missing' });
  });
});

describe('the clients', () => {
  it('are not asked for what is forbidden or malformed', async () => {
    const { fake, get } = await start();
    expect(await get('aws-sm://tributary/other/github')).toBe('forbidden');
    expect(await get('aws-sm://tributary/acme/../other/github')).toBe('malformed');
    expect(fake.requests).toEqual([]);
  });

  it('are let go of, and nothing is kept', async () => {
    const { references, put, get } = await start();
    await get();
    await references.close();
    put('two');
    expect(await get()).toBe('two');
  });
});
