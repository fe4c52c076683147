import { expect } from 'vitest';
import {
  type FailureCategory,
  type ProviderFailureDetails,
  type RegisteredWebhook,
  type WantedWebhook,
  type WebhookRegistrar,
} from '../../src/connector/index.js';
import { Secret } from '../../src/core/secret.js';
import { answer, drop, loseAnswer } from '../support/fake-behavior.js';
import type { Behavior, FakeRequest } from '../support/fake-provider.js';
import { type ConformanceTest, check } from './checks.js';
import type { ConformanceSubject, RegistrationSubject } from './subject.js';
import { type World, everythingIn, failureOf, inWorld } from './world.js';

const URL_OF_OURS = 'https://tributary.example/v1/integrations/webhooks/one/token-of-this-connection';
const ANOTHER_URL = 'https://tributary.example/v1/integrations/webhooks/one/token-after-rotation';
const SECRET = 'whsec of the conformance suite';

const STATUSES: readonly [number, FailureCategory][] = [
  [401, 'AUTH'],
  [403, 'AUTH'],
  [422, 'INVALID'],
  [500, 'PROVIDER'],
];

/** Webhooks that nobody has to set up by hand, and nobody finds left over. */
export function* registrationChecks(
  subject: ConformanceSubject,
  registrar: WebhookRegistrar,
): Iterable<ConformanceTest> {
  const { target, least } = requireRegistration(subject);
  const ours: WantedWebhook = {
    url: URL_OF_OURS,
    secret: new Secret(SECRET),
    events: least.wanted,
    target,
  };
  const renewed = { url: ANOTHER_URL, secret: new Secret('whsec renewed') };
  const register = ({ context }: World, wanted = ours) => registrar.register(context, wanted);

  yield check('WEBHOOK-REG-01', () =>
    inWorld(subject, async (world) => {
      const { externalId, target: told } = await register(world);
      expect(hooksOf(world)).toMatchObject([{ id: externalId, url: URL_OF_OURS, secret: SECRET }]);
      expect(told).toEqual(target);
    }),
  );
  yield check('WEBHOOK-REG-02', () =>
    inWorld(subject, async (world) => {
      const { events } = await register(world);
      expect(hooksOf(world).map((hook) => hook.events)).toEqual([least.asked]);
      expect(events).toEqual(least.asked);
    }),
  );
  yield check('WEBHOOK-REG-03', () =>
    inWorld(subject, async (world) => {
      await register(world, { ...ours, url: 'https://other.example/hook' });
      const first = await register(world);
      const again = await register(world, { ...ours, secret: renewed.secret });
      const moved = await register(world, { ...ours, ...renewed, previousId: first.externalId });
      expect([again.externalId, moved.externalId]).toEqual([first.externalId, first.externalId]);
      const secret = renewed.secret.reveal();
      expect(hooksOf(world)).toMatchObject([{}, { id: first.externalId, url: ANOTHER_URL, secret }]);
    }),
  );
  yield check('WEBHOOK-REG-04', () =>
    inWorld(subject, async (world) => {
      world.fake.provider.next(isPost, loseAnswer());
      const { details } = await failureOf(register(world));
      expect(details.isAmbiguous).toBe(true);
      const { externalId } = await register(world);
      expect(hooksOf(world).map(({ id }) => id)).toEqual([externalId]);
    }),
  );
  yield check('WEBHOOK-REG-05', () =>
    inWorld(subject, async (world) => {
      const registered = await register(world);
      const [before] = hooksOf(world);
      await registrar.update(world.context, registered, renewed);
      expect(hooksOf(world)).toEqual([{ ...before, url: ANOTHER_URL, secret: renewed.secret.reveal() }]);
    }),
  );
  yield check('WEBHOOK-REG-06', () =>
    inWorld(subject, async (world) => {
      const registered = await register(world);
      await registrar.unregister(world.context, registered);
      expect(hooksOf(world)).toEqual([]);
      await registrar.unregister(world.context, registered);
    }),
  );
  yield check('WEBHOOK-REG-07', async () => {
    const works: readonly ((world: World, registered: RegisteredWebhook) => Promise<unknown>)[] = [
      (world) => register(world, { ...ours, url: ANOTHER_URL }),
      ({ context }, registered) => registrar.update(context, registered, renewed),
      ({ context }, registered) => registrar.unregister(context, registered),
    ];
    const troubles: readonly (readonly [Behavior, Partial<ProviderFailureDetails>])[] = [
      ...STATUSES.map(([status, category]) => {
        const behavior = answer(subject.provider.error(status));
        return [behavior, { category, providerStatus: status }] as const;
      }),
      [drop(), { category: 'NETWORK' }],
    ];
    const cases = works.flatMap((work) => troubles.map((trouble) => [work, ...trouble] as const));
    await Promise.all(
      cases.map(([work, behavior, details]) =>
        inWorld(subject, async (world) => {
          const registered = await register(world);
          // As often as the gate tries what may be repeated.
          world.fake.provider.next(isChange, behavior, behavior, behavior);
          expect((await failureOf(work(world, registered))).details).toMatchObject(details);
        }),
      ),
    );
  });
  yield check('WEBHOOK-REG-08', () =>
    inWorld(subject, async (world) => {
      for (const body of [{}, [], null, '']) {
        world.fake.provider.next(isPost, answer({ status: 201, body }));
        const { details } = await failureOf(register(world));
        expect(details).toMatchObject({ category: 'PROVIDER', isAmbiguous: true });
      }
    }),
  );
  yield check('WEBHOOK-REG-09', () =>
    inWorld(subject, async (world) => {
      const registered = await register(world);
      await registrar.update(world.context, registered, { ...renewed, secret: ours.secret });
      world.fake.provider.next(isPost, answer(subject.provider.error(422)));
      const failure = await failureOf(register(world, { ...ours, url: 'https://third.example/hook' }));
      const sent = world.fake.provider.requests.map(({ path, query, headers }) => [path, query, headers]);
      const seen = [sent, world.log, world.calls, registered, failure].map(everythingIn).join('');
      expect(seen).not.toContain(SECRET);
      expect(seen).not.toContain(encodeURIComponent(SECRET));
    }),
  );
}

const hooksOf = ({ fake }: World) => fake.hooks?.() ?? [];
const isPost = ({ method }: FakeRequest): boolean => method === 'POST';
const isChange = ({ method }: FakeRequest): boolean => method !== 'GET';

function requireRegistration({ connector, registration }: ConformanceSubject): RegistrationSubject {
  if (!registration) throw new Error(`${connector.manifest.id}: the subject lacks its registration part`);
  return registration;
}
