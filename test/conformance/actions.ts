import { expect } from 'vitest';
import type {
  ActionOutcome,
  FailureCategory,
  ProviderFailureDetails,
  Verb,
} from '../../src/connector/index.js';
import { answer, drop, hang, loseAnswer, mislabel, resetMidBody } from '../support/fake-behavior.js';
import type { Behavior, FakeRequest } from '../support/fake-provider.js';
import { type CheckId, type ConformanceTest, check } from './checks.js';
import { type AnyActionSpec, compile, specsOf } from './manifest.js';
import type { ConformanceSubject } from './subject.js';
import { NOW, type World, everythingIn, failureOf, inWorld } from './world.js';

const STATUSES: readonly [CheckId, number, FailureCategory][] = [
  ['ACTION-03', 401, 'AUTH'],
  ['ACTION-04', 403, 'AUTH'],
  ['ACTION-05', 404, 'NOT_FOUND'],
  ['ACTION-06', 409, 'INVALID'],
  ['ACTION-07', 422, 'INVALID'],
  ['ACTION-08', 500, 'PROVIDER'],
  ['ACTION-09', 503, 'PROVIDER'],
];

/** For an answer that never comes. */
const PATIENCE_MS = 100;

/** What we do at the provider, and what becomes of it when the line is bad. */
export function* actionChecks(subject: ConformanceSubject): Iterable<ConformanceTest> {
  for (const [verb, spec] of specsOf(subject.connector)) {
    yield* outcomeChecks(subject, verb, spec);
    yield* failureChecks(subject, verb, spec);
    yield* repetitionChecks(subject, verb, spec);
    yield secrecyCheck(subject, verb, spec);
  }
}

function* outcomeChecks(
  subject: ConformanceSubject,
  verb: Verb,
  spec: AnyActionSpec,
): Iterable<ConformanceTest> {
  const { execute } = attempts(subject, verb, spec);
  yield check(
    'ACTION-01',
    () => inWorld(subject, async (world) => expectOutcome(spec, await execute(world))),
    verb,
  );
  yield check(
    'ACTION-02',
    () =>
      inWorld(subject, async (world) => {
        await execute(world);
        expect(world.effects()).toBe(1);
      }),
    verb,
  );
}

function* failureChecks(
  subject: ConformanceSubject,
  verb: Verb,
  spec: AnyActionSpec,
): Iterable<ConformanceTest> {
  const { execute, isEffect } = attempts(subject, verb, spec);
  const { error, throttles } = subject.provider;
  const fails = (
    id: CheckId,
    behavior: Behavior,
    expected: Partial<ProviderFailureDetails>,
    about = verb as string,
  ) =>
    check(
      id,
      () =>
        inWorld(subject, async (world) => {
          world.fake.provider.next(isEffect, behavior);
          const { details } = await failureOf(execute(world));
          expect(details).toMatchObject(expected);
        }),
      about,
    );

  for (const [id, status, category] of STATUSES) {
    const isAmbiguous = status >= 500;
    yield fails(id, answer(error(status)), { category, providerStatus: status, isAmbiguous });
  }
  for (const form of throttles(NOW)) {
    const expected = { category: 'RATE_LIMIT', retryAt: form.retryAt, isAmbiguous: false } as const;
    yield fails('ACTION-10', answer(form.answer), expected, `${verb}, ${form.name}`);
  }
  yield check(
    'ACTION-11',
    () =>
      inWorld(subject, async (world) => {
        await world.fake.provider.close();
        const { details } = await failureOf(execute(world));
        expect(details).toMatchObject({ category: 'NETWORK', isAmbiguous: false });
      }),
    verb,
  );
  yield check(
    'ACTION-21',
    () =>
      inWorld(subject, async (world) => {
        world.hurry(PATIENCE_MS);
        world.fake.provider.next(isEffect, hang());
        const { details } = await failureOf(execute(world));
        expect(details).toMatchObject({ category: 'NETWORK', isAmbiguous: true });
      }),
    verb,
  );
  const unclear = { isAmbiguous: true };
  yield fails('ACTION-12', resetMidBody(), { category: 'NETWORK', ...unclear });
  yield fails('ACTION-13', drop(), { category: 'NETWORK', ...unclear });
  const page = {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: '<html>maintenance</html>',
  };
  yield fails('ACTION-14', answer(page), { category: 'PROVIDER', ...unclear }, `${verb}, HTML called JSON`);
  yield fails(
    'ACTION-14',
    mislabel('text/html'),
    { category: 'PROVIDER', ...unclear },
    `${verb}, JSON called HTML`,
  );
  for (const body of [{}, [], null, '']) {
    const about = `${verb}, ${JSON.stringify(body)}`;
    yield fails('ACTION-15', answer({ status: 200, body }), { category: 'PROVIDER', ...unclear }, about);
  }
}

function* repetitionChecks(
  subject: ConformanceSubject,
  verb: Verb,
  spec: AnyActionSpec,
): Iterable<ConformanceTest> {
  const { execute, reconcile, isEffect } = attempts(subject, verb, spec);
  yield check(
    'ACTION-16',
    () =>
      inWorld(subject, async (world) => {
        world.fake.provider.next(isEffect, loseAnswer());
        const { details } = await failureOf(execute(world));
        expect(details.isAmbiguous).toBe(true);
        if (spec.idempotency === 'NATIVE') expectOutcome(spec, await execute(world));
        if (spec.idempotency === 'RECONCILED') expectOutcome(spec, await reconcile(world));
        expect(world.effects()).toBe(1);
      }),
    `${verb}, ${spec.idempotency}`,
  );
  if (!spec.reconcile) return;
  yield check(
    'ACTION-17',
    () =>
      inWorld(subject, async (world) => {
        world.fake.provider.next(isEffect, drop());
        await failureOf(execute(world));
        world.fake.crowd();
        expect(await reconcile(world)).toBeNull();
      }),
    verb,
  );
  yield check(
    'ACTION-18',
    () =>
      inWorld(subject, async (world) => {
        world.fake.crowd();
        await execute(world);
        world.fake.crowd();
        expectOutcome(spec, await reconcile(world));
      }),
    verb,
  );
  yield check(
    'ACTION-19',
    () => inWorld(subject, async (world) => expect(await execute(world)).toEqual(await reconcile(world))),
    verb,
  );
}

function secrecyCheck(subject: ConformanceSubject, verb: Verb, spec: AnyActionSpec): ConformanceTest {
  const { execute, isEffect } = attempts(subject, verb, spec);
  const { error } = subject.provider;
  const trouble = [
    ...STATUSES.map(([, status]) => answer(error(status))),
    drop(),
    resetMidBody(),
    mislabel('text/html'),
    echo(subject),
  ];
  return check(
    'ACTION-20',
    () =>
      inWorld(subject, async (world) => {
        world.fake.provider.next(isEffect, ...trouble);
        const seen: unknown[] = [];
        for (const _ of trouble) seen.push(await execute(world).catch((failure: unknown) => failure));
        await world.fake.provider.close();
        seen.push(await execute(world).catch((failure: unknown) => failure), world.calls);
        const all = world.log.join('') + seen.map(everythingIn).join('');
        for (const secret of Object.values(world.fake.credential)) expect(all).not.toContain(secret.reveal());
      }),
    verb,
  );
}

/** Refuses, and repeats every header it was sent in the message for people: some providers really do. */
function echo({ connector, provider }: ConformanceSubject): Behavior {
  return ({ request, send }) => {
    const { body, ...reply } = provider.error(401);
    const told = `You sent ${Object.values(request.headers).join(' ')}`;
    send({ ...reply, body: replaceAt(body, connector.manifest.failures.message ?? [], told) });
  };
}

function replaceAt(value: unknown, [key, ...rest]: readonly string[], replacement: string): unknown {
  if (key === undefined) return replacement;
  const fields = value as Readonly<Record<string, unknown>>;
  return { ...fields, [key]: replaceAt(fields[key], rest, replacement) };
}

/** The verb with its example input. A verb without one is a mistake of the subject. */
function attempts({ provider }: ConformanceSubject, verb: Verb, spec: AnyActionSpec) {
  const input = provider.inputs[verb];
  if (!input) throw new Error(`the subject has no example input for ${verb}`);
  return {
    execute: ({ context }: World) => spec.execute(context, input),
    reconcile: async ({ context }: World) => (await spec.reconcile?.(context, input)) ?? null,
    isEffect: provider.isEffect ?? (({ method }: FakeRequest) => method !== 'GET'),
  };
}

function expectOutcome({ outputSchema }: AnyActionSpec, outcome: ActionOutcome | null): void {
  expect(outcome?.externalId).toBeTypeOf('string');
  expect(outcome?.externalId).not.toBe('');
  const validate = compile(outputSchema);
  validate(outcome?.output);
  expect(validate.errors ?? []).toEqual([]);
}
