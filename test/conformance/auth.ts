import { expect } from 'vitest';
import { Secret } from '../../src/core/secret.js';
import { type ConformanceTest, check } from './checks.js';
import type { ConformanceSubject } from './subject.js';
import { failureOf, inWorld } from './world.js';

/** Who we are, and that only those who may know it are told how we prove it. */
export function* authChecks(subject: ConformanceSubject): Iterable<ConformanceTest> {
  const { auth, manifest } = subject.connector;

  yield check('AUTH-01', () =>
    inWorld(subject, async ({ context }) => {
      const { account } = await auth.identify(context);
      expect(account.id).not.toBe('');
      expect(account.name).not.toBe('');
    }),
  );
  yield check('AUTH-02', () =>
    inWorld(
      subject,
      async ({ context }) => {
        const { details } = await failureOf(auth.identify(context));
        expect(details).toMatchObject({ category: 'AUTH', isAmbiguous: false });
      },
      (credential) => Object.fromEntries(Object.keys(credential).map((name) => [name, new Secret('wrong')])),
    ),
  );
  yield check('AUTH-03', () =>
    inWorld(subject, async ({ context, fake }) => {
      await auth.identify(context);
      const [request] = fake.provider.requests;
      for (const secret of Object.values(fake.credential)) {
        expect(JSON.stringify([request?.path, request?.query, request?.text])).not.toContain(secret.reveal());
      }
    }),
  );
  if (!manifest.oauth) return;
  yield check('AUTH-04', () => {
    for (const beside of [{}, { refreshToken: new Secret('refresh-of-the-suite') }]) {
      const headers = auth.sign({ accessToken: new Secret('access-of-the-suite'), ...beside });
      expect(Object.values(headers).join()).toContain('access-of-the-suite');
      expect(Object.values(headers).join()).not.toContain('refresh-of-the-suite');
    }
  });
}
