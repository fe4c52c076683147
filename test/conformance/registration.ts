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
  const issuesSecret = subject.connector.webhook?.issuesSecret === true;
  /** As the core does it: what a webhook takes the place of is taken away afterwards. */
  const settled = async ({ context }: World, made: RegisteredWebhook): Promise<RegisteredWebhook> => {
    for (const externalId of made.replaces ?? [])
      await registrar.unregister(context, { ...made, externalId });
    return made;
  };
  const register = async (world: World, wanted = ours) =>
    settled(world, await registrar.register(world.context, wanted));
  const update = async (world: World, registered: RegisteredWebhook) => {
    const made = await registrar.update(world.context, registered, renewed);
    return made ? settled(world, made) : registered;
  };
  /** The one that the provider has made, or else ours. */
  const secretOf = ({ issuedSecret }: RegisteredWebhook, wanted: WantedWebhook['secret']) => {
    expect(issuedSecret !== undefined).toBe(issuesSecret);
    return issuedSecret ?? wanted.reveal();
  };

  yield check('WEBHOOK-REG-01', () =>
    inWorld(subject, async (world) => {
      const made = await register(world);
      const [id, secret] = [made.externalId, secretOf(made, ours.secret)];
      expect(hooksOf(world)).toMatchObject([{ id, url: URL_OF_OURS, secret }]);
      expect(made.target).toEqual(target);
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
      const moved = await register(world, { ...ours, ...renewed, previousId: again.externalId });
      const [id, secret] = [moved.externalId, secretOf(moved, renewed.secret)];
      // Whose secret nobody can know is replaced.
      if (!issuesSecret) expect([again.externalId, id]).toEqual([first.externalId, first.externalId]);
      expect(hooksOf(world)).toMatchObject([{}, { id, url: ANOTHER_URL, secret }]);

      // By its id: nothing is lost of what is there, and its secret counts on.
      const kept = await register(world, { ...ours, ...renewed, previousId: id });
      expect(kept.externalId).toBe(id);
      expect(hooksOf(world)).toMatchObject([{}, { id, url: ANOTHER_URL, secret }]);
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
      const made = await update(world, registered);
      const secret = secretOf(made, renewed.secret);
      expect(secret).not.toBe(before?.secret);
      expect(hooksOf(world)).toEqual([{ ...before, id: made.externalId, url: ANOTHER_URL, secret }]);
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
      update,
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
      const { issuedSecret = SECRET, ...told } = registered;
      const seen = [sent, world.log, world.calls, told, failure].map(everythingIn).join('');
      for (const secret of [SECRET, encodeURIComponent(SECRET), issuedSecret]) {
        expect(seen).not.toContain(secret);
      }
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
