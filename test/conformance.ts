import { describe, it } from 'vitest';
import { actionChecks } from './conformance/actions.js';
import { authChecks } from './conformance/auth.js';
import type { ConformanceTest } from './conformance/checks.js';
import { manifestChecks } from './conformance/manifest.js';
import { normalizeChecks } from './conformance/normalize.js';
import { pollChecks } from './conformance/poll.js';
import { registrationChecks } from './conformance/registration.js';
import type { ConformanceSubject } from './conformance/subject.js';
import type { ConformanceRecord } from './conformance/table.js';
import { webhookChecks } from './conformance/webhook.js';

export { type CheckId, type ConformanceTest, conformanceChecks } from './conformance/checks.js';
export type * from './conformance/subject.js';

/** Every check that applies to this connector: a part that it lacks is not checked. */
export function* conformanceTests(subject: ConformanceSubject): Iterable<ConformanceTest> {
  const { connector } = subject;
  yield* manifestChecks(subject);
  yield* authChecks(subject);
  if (connector.webhook) yield* webhookChecks(subject);
  const registrar = connector.webhook?.registration;
  if (registrar) yield* registrationChecks(subject, registrar);
  if (connector.webhook) yield* normalizeChecks(subject);
  if (connector.poll) yield* pollChecks(subject, connector.poll);
  if (connector.actions) yield* actionChecks(subject);
}

/** Runs the whole suite over one connector, and writes down what comes of it. Answers how many cases there are. */
export function describeConformance(subject: ConformanceSubject, record?: ConformanceRecord): number {
  const { id: connector } = subject.connector.manifest;
  const tests = [...conformanceTests(subject)];
  describe(`conformance of ${connector}`, () => {
    for (const { id, name, run } of tests) {
      // oxlint-disable-next-line vitest/expect-expect, vitest/valid-title -- each check brings both
      it(name, async () => {
        let hasPassed = false;
        try {
          await run();
          hasPassed = true;
        } finally {
          record?.note(connector, id, hasPassed);
        }
      });
    }
  });
  return tests.length;
}
