import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type SecretReferences,
  type SecretReferencesOptions,
  createSecretReferences,
} from '../../../src/credential/reference/references.js';
import { parseReferencePatterns } from '../../../src/credential/reference/allow-list.js';
import { answer, drop, hang, loseAnswer, resetMidBody } from '../fake-behavior.js';
import type { Behavior, FakeProvider, RequestMatch } from '../fake-provider.js';

/** What every kind of store is tried with. */
export interface Subject {
  readonly fake: FakeProvider;
  readonly options: Partial<SecretReferencesOptions>;
  /** A pattern that covers {@link reference} for the tenant `acme`. */
  readonly pattern: string;
  /** To a secret whose text, or whose field, is {@link PLANTED}. */
  readonly reference: string;
  /** Requests that ask for a secret, and not for a token. */
  readonly match: RequestMatch;
  readonly isRetried: boolean;
}

export const PLANTED = 'planted-secret';
export const TENANT = 'acme';

/** References to the fake, closed with it when the test ends. */
export function referencesTo(
  { fake, options, pattern }: Pick<Subject, 'fake' | 'options' | 'pattern'>,
  more: Partial<SecretReferencesOptions> = {},
): SecretReferences {
  const patterns = parseReferencePatterns([pattern]);
  const references = createSecretReferences({ environment: 'prod', patterns, ...options, ...more });
  onTestFinished(async () => {
    await references.close();
    await fake.close();
  });
  return references;
}

/** The error that it ends in, with nothing in it of what is planted at the stores. */
export async function failureOf(resolving: Promise<unknown>): Promise<unknown> {
  const error = await resolving.then(
    () => 'it succeeded',
    (thrown: unknown) => thrown,
  );
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('planted');
  return error;
}

/** What has to hold for every store, tried through its own client. */
export function describeStore(name: string, start: () => Promise<Subject>): void {
  describe(`${name}, as every store,`, () => {
    it('gives the secret, in a form that does not show it', async () => {
      const subject = await start();
      const secret = await referencesTo(subject).resolve(subject.reference, TENANT);
      expect(secret.reveal()).toBe(PLANTED);
      expect(inspect(secret, { showHidden: true })).toBe('[secret]');
    });

    it.each<[string, Behavior]>([
      ['cuts the connection', drop()],
      ['cuts the connection after it has read', loseAnswer()],
      ['breaks off in the answer', resetMidBody()],
      ['answers with another kind of text', answer({ status: 200, body: 'planted, and no JSON' })],
      ['answers with JSON of another kind', answer({ status: 200, body: ['planted'] })],
      ['answers with nothing', answer({ status: 200 })],
      ['answers with a page of a proxy', answer({ status: 502, body: '<html>planted</html>' })],
      ['is down', answer({ status: 503, body: { planted: 'planted' } })],
      ['throttles', answer({ status: 429, body: { planted: 'planted' } })],
      ['redirects', answer({ status: 302, headers: { location: '/planted' } })],
    ])('is unavailable when it %s, and asked three times at most', async (_, behavior) => {
      const subject = await start();
      const references = referencesTo(subject);
      subject.fake.next(subject.match, ...Array.from({ length: 20 }, () => behavior));
      const error = await failureOf(references.resolve(subject.reference, TENANT));
      expect(error).toMatchObject({ name: 'SecretReferenceError', kind: 'unavailable' });
      const asked = subject.fake.requests.filter(({ path }) => !/token|sts/.test(path));
      expect(asked.length).toBeLessThanOrEqual(3);
    });

    it('is unavailable when it hangs, as soon as the deadline has passed', async () => {
      const subject = await start();
      const references = referencesTo(subject, { deadlineMs: 300 });
      subject.fake.next(subject.match, ...Array.from({ length: 20 }, () => hang()));
      const begun = performance.now();
      const error = await failureOf(references.resolve(subject.reference, TENANT));
      expect(error).toMatchObject({ kind: 'unavailable', message: expect.stringContaining('300 ms') });
      expect(performance.now() - begun).toBeLessThan(3_000);
    });

    it('is asked again after a failure: that is not kept', async () => {
      const subject = await start();
      const references = referencesTo(subject);
      subject.fake.next(subject.match, answer({ status: 400, body: { planted: 'planted' } }));
      await failureOf(references.resolve(subject.reference, TENANT));
      expect((await references.resolve(subject.reference, TENANT)).reveal()).toBe(PLANTED);
    });

    it('is asked again at once where its client does so, else once', async () => {
      const subject = await start();
      const references = referencesTo(subject);
      subject.fake.next(subject.match, answer({ status: 503, body: '<html>planted</html>' }));
      const outcome = await references.resolve(subject.reference, TENANT).then(
        (secret) => secret.reveal(),
        (error: { kind: string }) => error.kind,
      );
      expect(outcome).toBe(subject.isRetried ? PLANTED : 'unavailable');
    });
  });
}
