import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type KeyProvider,
  KeyProviderError,
  type KeyProviderErrorKind,
  type WrappedKey,
} from '../../../src/credential/key-provider/key-provider.js';
import { answer, drop, hang, resetMidBody } from '../fake-behavior.js';
import type { FakeAnswer, FakeProvider } from '../fake-provider.js';

export interface Subject {
  readonly provider: KeyProvider;
  /** Gives the key a new version, as its service does. The provider that goes on from there. */
  rotate(): KeyProvider;
}

export interface ServiceSubject extends Subject {
  readonly server: FakeProvider;
}

/** Answers the service gives instead of doing what it was asked, each with what they have to count as. */
export interface Refusal {
  readonly answer: FakeAnswer;
  readonly kind: KeyProviderErrorKind;
  /** The message has to tell the operator this. */
  readonly advice: RegExp;
}

const name = { tenantId: 'acme', version: 1 };

/** What every provider must do. */
export function describeKeyProvider(start: () => Promise<Subject>): void {
  describe('a data key', () => {
    it('comes back as it was, and is not to be seen in between', async () => {
      const { provider } = await start();
      const key = randomBytes(32);
      const [one, other] = [await provider.wrap(key, name), await provider.wrap(key, name)];
      expect(one.provider).toBe(provider.name);
      expect(one.wrapped.includes(key)).toBe(false);
      expect(one.wrapped.equals(other.wrapped)).toBe(false);
      for (const wrapped of [one, other]) expect(await provider.unwrap(wrapped, name)).toEqual(key);
    });

    it.each([
      ['another tenant', { tenantId: 'globex', version: 1 }],
      ['another version', { tenantId: 'acme', version: 2 }],
      ['a name whose parts run together alike', { tenantId: 'acme"1', version: 1 }],
    ])('does not open for %s', async (_, other) => {
      const { provider } = await start();
      const wrapped = await provider.wrap(randomBytes(32), name);
      expect(await failureOf(provider.unwrap(wrapped, other))).toMatchObject({ kind: 'unreadable' });
    });

    it('does not open when its bytes were altered, cut or extended', async () => {
      const { provider } = await start();
      const wrapped = await provider.wrap(randomBytes(32), name);
      for (const bytes of alterationsOf(wrapped)) {
        const failure = await failureOf(provider.unwrap({ ...wrapped, wrapped: bytes }, name));
        expect(failure, bytes.toString('base64')).toMatchObject({ kind: 'unreadable' });
      }
    });

    it('is nothing else than 32 bytes', async () => {
      const { provider } = await start();
      const wrapped = await provider.wrap(randomBytes(5), name);
      expect(await failureOf(provider.unwrap(wrapped, name))).toMatchObject({ kind: 'unreadable' });
    });

    it('still opens once its key was rotated, and new ones are wrapped by the new version', async () => {
      const subject = await start();
      const key = randomBytes(32);
      const old = await subject.provider.wrap(key, name);
      const provider = subject.rotate();
      const renewed = await provider.wrap(key, name);
      expect(renewed.keyId).not.toBe(old.keyId);
      for (const wrapped of [old, renewed]) expect(await provider.unwrap(wrapped, name)).toEqual(key);
    });
  });
}

/** A byte here and there: every one of them would be a call. */
function alterationsOf({ wrapped }: WrappedKey): Buffer[] {
  const step = Math.ceil(wrapped.length / 8);
  const flipped = Array.from({ length: 8 }, (_, index) => {
    const copy = Buffer.from(wrapped);
    const at = Math.min(index * step, copy.length - 1);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  });
  const cut = [wrapped.subarray(0, -1), wrapped.subarray(0, 5), Buffer.alloc(0)];
  return [...flipped, ...cut, Buffer.concat([wrapped, Buffer.from('AAAA')])];
}

/** What every provider that calls a service must do as well. */
export function describeServiceCalls(
  start: (deadlineMs?: number) => Promise<ServiceSubject>,
  refusals: Readonly<Record<string, Refusal>>,
): void {
  const passing = Object.entries(refusals).filter(([, { kind }]) => /^(throttled|unavailable)$/.test(kind));
  const lasting = Object.entries(refusals).filter(([, { kind }]) => !/^(throttled|unavailable)$/.test(kind));

  describe('the service', () => {
    it.each(lasting)('answers %s: it is told what to do, and not asked again', async (_, refusal) => {
      const { provider, server } = await start();
      const calls = await warmUp(provider, server);
      server.next(isAny, answer(refusal.answer));
      const failure = await failureOf(provider.wrap(randomBytes(32), name));
      expect(failure).toMatchObject({
        kind: refusal.kind,
        message: expect.stringMatching(refusal.advice) as string,
      });
      expect(server.requests).toHaveLength(calls + 1);
    });

    it.each(passing)('answers %s three times: it is not asked a fourth time', async (_, refusal) => {
      const { provider, server } = await start();
      const calls = await warmUp(provider, server);
      server.next(isAny, ...Array.from({ length: 3 }, () => answer(refusal.answer)));
      const failure = await failureOf(provider.wrap(randomBytes(32), name));
      expect(failure).toMatchObject({
        kind: refusal.kind,
        message: expect.stringMatching(refusal.advice) as string,
      });
      expect(server.requests).toHaveLength(calls + 3);
    });

    it.each(passing)('answers %s twice: the third time counts', async (_, refusal) => {
      const { provider, server } = await start();
      const key = randomBytes(32);
      const wrapped = await provider.wrap(key, name);
      server.next(isAny, answer(refusal.answer), answer(refusal.answer));
      expect(await provider.unwrap(wrapped, name)).toEqual(key);
    });

    it.each([
      ['a page', answer({ status: 200, body: '<html>Please sign in</html>' })],
      ['nothing', answer({ status: 200, body: {} })],
      ['a page that refuses', answer({ status: 400, body: '<html>Bad request</html>' })],
      ['an error page', answer({ status: 502, body: '<html>Bad gateway</html>' })],
      ['by breaking the connection', drop()],
      ['half', resetMidBody()],
    ])('answers %s: that is no answer', async (_, behavior) => {
      const { provider, server } = await start();
      const key = randomBytes(32);
      const wrapped = await provider.wrap(key, name);
      server.next(isAny, behavior, behavior, behavior);
      expect(await failureOf(provider.unwrap(wrapped, name))).toMatchObject({ kind: 'unavailable' });
      expect(await provider.unwrap(wrapped, name)).toEqual(key);
    });

    it('never answers: the deadline is kept', async () => {
      const { provider, server } = await start(500);
      server.next(isAny, ...Array.from({ length: 10 }, () => hang()));
      const startedAt = performance.now();
      const failure = await failureOf(provider.wrap(randomBytes(32), name));
      expect(failure).toMatchObject({
        kind: 'unavailable',
        message: expect.stringContaining('500 ms') as string,
      });
      expect(performance.now() - startedAt).toBeLessThan(5_000);
    });

    it('hangs once: another attempt is made before the deadline', async () => {
      const { provider, server } = await start(2_500);
      server.next(isAny, hang());
      expect((await provider.wrap(randomBytes(32), name)).provider).toBe(provider.name);
    });

    it('is away: that is told', async () => {
      const { provider, server } = await start();
      const wrapped = await provider.wrap(randomBytes(32), name);
      await server.close();
      expect(await failureOf(provider.unwrap(wrapped, name))).toMatchObject({ kind: 'unavailable' });
    });
  });
}

const isAny = () => true;

/** The first call may take more requests than one, for a key's version or to sign in. */
async function warmUp(provider: KeyProvider, server: FakeProvider): Promise<number> {
  await provider.wrap(randomBytes(32), name);
  return server.requests.length;
}

/** What a call ends in that must not succeed. */
export async function failureOf(calling: Promise<unknown>): Promise<KeyProviderError> {
  const outcome = await calling.catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(KeyProviderError);
  return outcome as KeyProviderError;
}
