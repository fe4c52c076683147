import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HOLD_MS, type Sight, type Standing, healthStatuses, judge } from './judge.js';

const MINUTE_MS = 60_000;
const START = new Date('2026-11-01T00:00:00.000Z');
const at = (minute: number): Date => new Date(START.getTime() + minute * MINUTE_MS);

const nothing: Sight = {
  requests: 0,
  errors: 0,
  isRefused: false,
  isCircuitOpen: false,
  lagSeconds: null,
  isPollStuck: false,
  isWebhookEnding: false,
};
const unknown: Standing = { status: 'UNKNOWN', reason: null, since: START, calmSince: null };

describe('what a connection is at first sight', () => {
  it.each<[string, Partial<Sight>, string, string | null]>([
    ['nothing', {}, 'UNKNOWN', null],
    ['one good call', { requests: 1 }, 'HEALTHY', null],
    ['four bad calls', { requests: 4, errors: 4 }, 'UNKNOWN', null],
    ['five bad calls', { requests: 5, errors: 5 }, 'UNHEALTHY', 'ERRORS'],
    ['one in ten', { requests: 20, errors: 2 }, 'HEALTHY', null],
    ['more than that', { requests: 20, errors: 3 }, 'DEGRADED', 'ERRORS'],
    ['every other', { requests: 20, errors: 10 }, 'DEGRADED', 'ERRORS'],
    ['more than that', { requests: 20, errors: 11 }, 'UNHEALTHY', 'ERRORS'],
    ['news in ten minutes', { requests: 1, lagSeconds: 600 }, 'HEALTHY', null],
    ['later news', { lagSeconds: 601 }, 'DEGRADED', 'LAG'],
    ['late news beside errors', { requests: 10, errors: 6, lagSeconds: 601 }, 'UNHEALTHY', 'ERRORS'],
    ['polls that fail', { requests: 20, isPollStuck: true }, 'DEGRADED', 'POLLS'],
    ['webhooks that end', { requests: 20, isWebhookEnding: true }, 'DEGRADED', 'WEBHOOKS'],
    ['an open circuit', { requests: 100, isCircuitOpen: true }, 'UNHEALTHY', 'CIRCUIT_OPEN'],
    ['a refused credential', { isRefused: true, isCircuitOpen: true }, 'UNHEALTHY', 'CREDENTIALS_REFUSED'],
  ])('%s', (_what, sight, status, reason) => {
    expect(judge(unknown, { ...nothing, ...sight }, START)).toMatchObject({ status, reason });
  });
});

/** What happens in one minute. */
interface Minute {
  readonly requests: number;
  readonly failing: number;
  readonly isRefused: boolean;
  readonly isCircuitOpen: boolean;
  readonly isLate: boolean;
}

const minutes = fc.array(
  fc.record({
    requests: fc.nat(4),
    failing: fc.constantFrom(0, 0, 0.3, 0.6, 1),
    isRefused: fc.nat(15).map((n) => n === 0),
    isCircuitOpen: fc.nat(9).map((n) => n === 0),
    isLate: fc.nat(5).map((n) => n === 0),
  }),
  { minLength: 30, maxLength: 240 },
);

/** The same over a window of so many minutes: the shorter, the more it wavers. */
function sightsOf(all: readonly Minute[], window: number): Sight[] {
  return all.map(({ isRefused, isCircuitOpen, isLate }, index) => {
    const seen = all.slice(Math.max(0, index - window + 1), index + 1);
    const requests = seen.reduce((sum, one) => sum + one.requests, 0);
    const errors = seen.reduce((sum, one) => sum + Math.round(one.requests * one.failing), 0);
    return { ...nothing, requests, errors, isRefused, isCircuitOpen, lagSeconds: isLate ? 700 : null };
  });
}

/** How it stands after each minute, the first sight before all. */
function standingsOf(sights: readonly Sight[]): Standing[] {
  const standings = [unknown];
  for (const [minute, sight] of sights.entries()) {
    standings.push(judge(standings[minute] ?? unknown, sight, at(minute)));
  }
  return standings;
}

const rank = ({ status }: Pick<Standing, 'status'>): number => healthStatuses.indexOf(status);
const atFirstSight = (sight: Sight): number => rank(judge(unknown, sight, START));
const isHard = ({ isRefused, isCircuitOpen }: Sight): boolean => isRefused || isCircuitOpen;
const HOLD = HOLD_MS / MINUTE_MS;

describe('a connection over the hours', () => {
  it('wavers never: what is no hard fact changes nothing within five minutes, and nothing gets better sooner', () => {
    fc.assert(
      fc.property(minutes, fc.constantFrom(1, 3, 60), (all, window) => {
        const sights = sightsOf(all, window);
        const standings = standingsOf(sights);
        const edges = sights.flatMap((sight, minute) => {
          const [before, after] = [standings[minute]!, standings[minute + 1]!];
          return before.status === after.status ? [] : [{ minute, sight, before, after }];
        });
        for (const { minute, after } of edges) expect(after.since).toEqual(at(minute));
        const soft = edges.filter(({ sight, before }) => before.status !== 'UNKNOWN' && !isHard(sight));
        for (const { minute, before, after } of soft) {
          expect(at(minute).getTime() - before.since.getTime()).toBeGreaterThanOrEqual(HOLD_MS);
          const calm = rank(after) > rank(before) ? sights.slice(minute - HOLD, minute + 1) : [];
          for (const sight of calm) expect(atFirstSight(sight)).toBeGreaterThan(rank(before));
        }
        const hard = standings.filter((_, index) => index > 0 && isHard(sights[index - 1]!));
        expect(hard.map(({ status }) => status).filter((status) => status !== 'UNHEALTHY')).toEqual([]);
      }),
    );
  });

  it('begins to be better anew when in between too little was seen to tell', () => {
    const degraded: Standing = { status: 'DEGRADED', reason: 'ERRORS', since: START, calmSince: null };
    const [well, unclear] = [
      { ...nothing, requests: 3 },
      { ...nothing, requests: 4, errors: 2 },
    ];
    let standing = degraded;
    for (const [index, sight] of [well, well, unclear, well, well, well, well, well].entries()) {
      standing = judge(standing, sight, at(10 + index));
      expect(standing.status).toBe('DEGRADED');
    }
    expect(judge(standing, well, at(18))).toMatchObject({ status: 'HEALTHY', since: at(18) });
  });

  it('ends as it is seen, once that stays the same for long enough', () => {
    const lasting = fc.record({
      requests: fc.integer({ min: 5, max: 20 }),
      errors: fc.nat(5),
      isRefused: fc.boolean(),
      isCircuitOpen: fc.boolean(),
      lagSeconds: fc.constantFrom(null, 5, 900),
      isPollStuck: fc.boolean(),
      isWebhookEnding: fc.boolean(),
    });
    fc.assert(
      fc.property(minutes, lasting, (all, last) => {
        const sights = [...sightsOf(all, 3), ...Array.from({ length: 2 * HOLD + 1 }, () => last)];
        expect(rank(standingsOf(sights).at(-1)!)).toBe(atFirstSight(last));
      }),
    );
  });
});
