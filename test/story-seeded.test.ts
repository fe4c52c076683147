import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fates } from './support/story-fates.js';
import { type Command, createWorld } from './support/story-faults.js';

/**
 * Faults by chance, but the same by the same seed: `FAULT_SEED` and `FAULT_PATH`, which a failure prints, replay it;
 * `FAULT_RUNS` says how many runs there are. See CONTRIBUTING.md.
 */
const { FAULT_SEED = '20261121', FAULT_PATH, FAULT_RUNS = '8' } = process.env;
/** By then the smallest counterexample so far is told. */
const SHRINK_MS = 240_000;

const planned = fc.array(fc.constantFrom(...fates), { maxLength: 6 });
const verb = fc.constantFrom('createIssue' as const, 'addIssueComment' as const);
const commands: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('act'),
      verb,
      key: fc.integer({ min: 1, max: 4 }),
      fates: planned,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('die over an action'), verb, isDone: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('poll'), fates: planned }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('happen'), count: fc.integer({ min: 1, max: 3 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('tell'),
      event: fc.nat({ max: 5 }),
      times: fc.integer({ min: 1, max: 2 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('wait'), minutes: fc.integer({ min: 1, max: 10 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('set the clock'), hours: fc.constantFrom(0, 1, -1, 24, -24) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('die', 'lose Redis', 'find Redis') }) },
);

it(
  'whatever goes wrong, in whatever order: what is asked for is done once or known not to be, and nothing is lost',
  async () => {
    const property = fc.asyncProperty(fc.array(commands, { minLength: 1, maxLength: 14 }), async (script) => {
      const world = await createWorld();
      try {
        for (const command of script) await world.run(command);
        await world.calm();
        await world.check();
      } finally {
        await world.close();
      }
    });
    const report = await fc.check(property, {
      seed: Number(FAULT_SEED),
      numRuns: Number(FAULT_RUNS),
      interruptAfterTimeLimit: SHRINK_MS,
      ...(FAULT_PATH !== undefined && { path: FAULT_PATH }),
    });
    const replay = `FAULT_SEED=${report.seed} FAULT_PATH=${report.counterexamplePath} npx vitest run test/story-seeded.test.ts`;
    const message = report.failed
      ? `${String(report.errorInstance)}\n${fc.stringify(report.counterexample)}\nTo see it again: ${replay}`
      : '';
    expect(report.failed, message).toBe(false);
  },
  SHRINK_MS + 60_000,
);
