import { describe, expect, it } from 'vitest';
import { afterFailure, afterSuccess, firstDue } from './pace.js';

const now = new Date('2026-11-21T12:00:00Z');
const at = (seconds: number) => new Date(now.getTime() + seconds * 1000);
const bounds = { minSeconds: 60, maxSeconds: 3_600 };
const pace = { dueAt: now, intervalSeconds: 300, failures: 0 };

describe('after a success', () => {
  it('the interval grows while nothing is found, shrinks when something is, and keeps its bounds', () => {
    expect(afterSuccess(pace, 0, bounds, now).intervalSeconds).toBe(450);
    expect(afterSuccess(pace, 1, bounds, now).intervalSeconds).toBe(150);
    expect(afterSuccess({ ...pace, intervalSeconds: 3_000 }, 0, bounds, now).intervalSeconds).toBe(3_600);
    expect(afterSuccess({ ...pace, intervalSeconds: 61 }, 9, bounds, now).intervalSeconds).toBe(60);
  });

  it('the next is whole intervals after what was due, so that late ones stay spread', () => {
    const late = { ...pace, dueAt: at(-1_000) };
    expect(afterSuccess(late, 0, bounds, now).dueAt).toEqual(at(-1_000 + 3 * 450));
    expect(afterSuccess({ ...pace, dueAt: at(-450) }, 0, bounds, now).dueAt).toEqual(at(450));
  });

  it('a clock that was set back does not put it off', () => {
    expect(afterSuccess({ ...pace, dueAt: at(9_000) }, 0, bounds, now).dueAt).toEqual(at(450));
  });

  it('failures are forgotten', () => {
    expect(afterSuccess({ ...pace, failures: 3 }, 0, bounds, now).failures).toBe(0);
  });
});

describe('after a failure', () => {
  it.each([
    [0, 600],
    [1, 1_200],
    [2, 2_400],
    [3, 3_600],
    [60, 3_600],
  ])('the wait after %i others is %i seconds, and the interval stays', (failures, seconds) => {
    const next = afterFailure({ ...pace, failures }, { category: 'PROVIDER' }, bounds, now);
    expect(next).toEqual({ intervalSeconds: 300, failures: failures + 1, dueAt: at(seconds) });
  });

  it('the provider may ask for more than that, not for less', () => {
    const until = (seconds: number) =>
      afterFailure(pace, { category: 'PROVIDER', retryAt: at(seconds) }, bounds, now).dueAt;
    expect([until(7_200), until(10)]).toEqual([at(7_200), at(600)]);
  });

  it.each(['RATE_LIMIT', 'BUDGET', 'CIRCUIT_OPEN'] as const)(
    '%s waits until it is over, and counts as none',
    (category) => {
      expect(afterFailure(pace, { category, retryAt: at(5_000) }, bounds, now)).toEqual({
        ...pace,
        dueAt: at(5_000),
      });
      expect(afterFailure(pace, { category, retryAt: at(-5) }, bounds, now).dueAt).toEqual(now);
      expect(afterFailure(pace, { category }, bounds, now)).toMatchObject({ failures: 1, dueAt: at(600) });
    },
  );
});

describe('a wrong time to come back', () => {
  const day = 24 * 3_600;
  const week = 7 * day;

  it.each(['RATE_LIMIT', 'PROVIDER'] as const)('after a %s does not end the poll', (category) => {
    const dueAt = (retryAt: Date, maxSeconds = bounds.maxSeconds) =>
      afterFailure(pace, { category, retryAt }, { ...bounds, maxSeconds }, now).dueAt;
    expect(dueAt(at(9_999_999_999))).toEqual(at(day));
    expect(dueAt(at(9_999_999_999), week)).toEqual(at(week));
    expect(dueAt(at(day - 1))).toEqual(at(day - 1));
  });
});

it('what begins together is spread evenly over the interval, and by its name', () => {
  const offsets = Array.from({ length: 10_000 }, (_, n) => {
    return firstDue(`connection ${n}/issues`, 300, now).getTime() - now.getTime();
  });
  const tenths = Map.groupBy(offsets, (ms) => Math.floor(ms / 30_000));
  expect([...tenths.keys()].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  for (const { length } of tenths.values()) expect(Math.abs(length - 1_000)).toBeLessThan(150);
  expect(firstDue('a', 300, now)).toEqual(firstDue('a', 300, now));
});
