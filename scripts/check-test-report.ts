/**
 * Sums up a run of the tests from vitest's JSON report: `tsx scripts/check-test-report.ts report.json`. Names what was
 * skipped, what failed and what passed only when it was tried again, and ends with the line `N passed, N failed, N skipped`. Fails when a test failed or never
 * ended, when none ran, and when one was skipped because PostgreSQL or Redis was missing: the tests bring those along.
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

/** As far as it is read here: https://vitest.dev/guide/reporters#json-reporter. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      /** Also of a test that passed when it was tried again. */
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

const NEEDS_A_SERVER = /postgres|redis|database/i;
const SKIPPED = new Set(['skipped', 'todo']);
/** What vitest calls a test that was begun or queued when the run was over: it hung, or its process died. */
const UNFINISHED = 'pending';

export function summarize(report: Report): { lines: readonly string[]; isGood: boolean } {
  const tests = report.testResults.flatMap((file) => {
    const path = relative(process.cwd(), file.name);
    const own = file.assertionResults.map(({ fullName, status, failureMessages = [] }) => ({
      isRetried: status === 'passed' && failureMessages.length > 0,
      name: status === UNFINISHED ? `${path}: ${fullName} (never ended)` : `${path}: ${fullName}`,
      about: fullName,
      status: status === UNFINISHED ? 'failed' : status,
    }));
    // A file that could not even be loaded has no tests to its name, and counts as one that failed.
    const isBroken = file.status === 'failed' && own.every(({ status }) => status !== 'failed');
    return isBroken
      ? [
          ...own,
          {
            isRetried: false,
            name: `${path}: ${file.message || 'the file could not be loaded'}`,
            about: '',
            status: 'failed',
          },
        ]
      : own;
  });
  const passed = tests.filter(({ status }) => status === 'passed');
  const failed = tests.filter(({ status }) => status === 'failed');
  const skipped = tests.filter(({ status }) => SKIPPED.has(status));
  const unserved = skipped.filter(({ about }) => NEEDS_A_SERVER.test(about));
  return {
    lines: [
      ...failed.map(({ name }) => `failed: ${name}`),
      ...tests.filter(({ isRetried }) => isRetried).map(({ name }) => `passed when tried again: ${name}`),
      ...skipped.map(({ name }) => `skipped: ${name}`),
      ...unserved.map(({ name }) => `must not be skipped, bring the server along: ${name}`),
      `${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped`,
    ],
    isGood: passed.length > 0 && failed.length === 0 && unserved.length === 0,
  };
}

if (import.meta.main) {
  const [path = ''] = process.argv.slice(2);
  const { lines, isGood } = summarize(JSON.parse(readFileSync(path, 'utf8')) as Report);
  process.stdout.write(`${lines.join('\n')}\n`);
  process.exitCode = isGood ? 0 : 1;
}
