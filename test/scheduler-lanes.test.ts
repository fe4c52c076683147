import { describe, expect, it } from 'vitest';
import type { Run } from '../src/core/scheduler/index.js';
import { createLook } from '../src/core/scheduler/look.js';
import { createStay, keyed, postgresStore, startWorker, useScheduler } from './support/scheduler.js';

/** Runs, and which lease each of them had. */
function createTicks() {
  const runs: Run[] = [];
  return {
    runs,
    fences: () => runs.map(({ fence }) => fence.number),
    run: async (run: Run) => void runs.push(run),
  };
}

const locks = 'select locked_at is not null as locked from jobs.agenda_jobs';

describe('a lane', () => {
  it('is kept between its runs, locked and with its lease', async () => {
    const { urls, database } = await postgresStore.open();
    const ticks = createTicks();
    const scheduler = await useScheduler(urls);
    scheduler.define({ name: 'tick', every: { seconds: 0.5 }, lockSeconds: 60, run: ticks.run });
    await scheduler.start();
    await expect.poll(() => ticks.runs.length).toBeGreaterThanOrEqual(5);
    expect(new Set(ticks.fences()).size).toBe(1);
    expect(await database.query(locks)).toEqual([{ locked: true }]);
    const outcomes = scheduler.reports.map(({ outcome }) => outcome);
    expect(new Set(outcomes)).toEqual(new Set(['done']));
    expect(outcomes).toHaveLength(ticks.runs.length);
  });

  it('is on time while it is kept', async () => {
    const { urls } = await postgresStore.open();
    const ticks = createTicks();
    const scheduler = await useScheduler(urls);
    // The last look before each time is up to half a second earlier: a lane that waited for the next would be late.
    scheduler.define({ name: 'tick', every: { seconds: 0.7, lanes: 2 }, lockSeconds: 60, run: ticks.run });
    await scheduler.start();
    await expect.poll(() => ticks.runs.length).toBeGreaterThanOrEqual(12);
    const lags = scheduler.reports.map(({ lagSeconds = 9 }) => lagSeconds).toSorted((a, b) => a - b);
    expect(lags[Math.floor(lags.length / 2)]).toBeLessThan(0.15);
  });

  it('is written back when half of its lock is over, for whoever is first', async () => {
    const { urls, database } = await postgresStore.open();
    const ticks = createTicks();
    const leases: unknown[] = [];
    const scheduler = await useScheduler(urls);
    scheduler.define({
      name: 'tick',
      every: { seconds: 0.5 },
      lockSeconds: 4,
      async run(run) {
        // A quarter instead of a half: this machine may be busy.
        const held = `select fence = $1 and until > clock_timestamp() + interval '1 second' as held from jobs.leases`;
        leases.push(...(await database.query(held, [run.fence.number])));
        await ticks.run(run);
      },
    });
    await scheduler.start();
    await expect.poll(() => new Set(ticks.fences()).size).toBeGreaterThanOrEqual(3);
    expect(leases).toEqual(ticks.runs.map(() => ({ held: true })));
    expect(new Set(scheduler.reports.map(({ outcome }) => outcome))).toEqual(new Set(['done']));
  });

  it('is not kept by one that runs seldom', async () => {
    const { urls, database } = await postgresStore.open();
    const ticks = createTicks();
    const scheduler = await useScheduler(urls);
    scheduler.define({ name: 'tick', every: { seconds: 60 }, run: ticks.run });
    await scheduler.start();
    await expect.poll(() => ticks.runs.length).toBe(1);
    await expect.poll(() => database.query(locks)).toEqual([{ locked: false }]);
    expect(await database.query('select from jobs.leases')).toEqual([]);
  });

  it('is free for others at once when its process stops', async () => {
    const { urls, database } = await postgresStore.open();
    const [first, second] = [createTicks(), createTicks()];
    const [leaving, staying] = [await useScheduler(urls), await useScheduler(urls)];
    const job = { name: 'tick', every: { seconds: 0.7, lanes: 2 }, lockSeconds: 60 };
    leaving.define({ ...job, run: first.run });
    await leaving.start();
    await expect.poll(() => first.runs.length).toBeGreaterThanOrEqual(6);
    expect(await leaving.drain(20_000)).toBe(true);
    expect(await database.query(locks)).toEqual([{ locked: false }, { locked: false }]);
    expect(await database.query('select from jobs.leases')).toEqual([]);
    staying.define({ ...job, run: second.run });
    await staying.start();
    await expect.poll(() => new Set(second.runs.map(({ key }) => key)).size).toBe(2);
  });

  it('goes to who has room when another lane’s run takes long', async () => {
    const { urls } = await postgresStore.open();
    const [stay, other] = [createStay(), createTicks()];
    const lanes = new Set<string>();
    let isLong = false;
    const [busy, idle] = [await useScheduler(urls), await useScheduler(urls)];
    const job = { name: 'tick', every: { seconds: 0.7, lanes: 2 }, lockSeconds: 60 };
    busy.define({
      ...job,
      async run(run) {
        lanes.add(run.key);
        if (isLong) await stay.run(run);
      },
    });
    await busy.start();
    await expect.poll(() => lanes.size).toBe(2);
    isLong = true;
    await expect.poll(() => stay.started).toHaveLength(1);
    idle.define({ ...job, run: other.run });
    await idle.start();
    await expect.poll(() => other.runs.length).toBeGreaterThanOrEqual(2);
    expect(other.runs.map(({ key }) => key)).not.toContain(stay.started[0]);
  });

  it('is taken over from a killed process when its lock is over', async () => {
    const { urls, database } = await postgresStore.open();
    const worker = startWorker(database.url, 'tick');
    await worker.said('ticked 2');
    worker.signal('SIGKILL');
    await worker.ended;
    const [{ until } = { until: new Date(0) }] = await database.query<{ until: Date }>(
      'select until from jobs.leases',
    );
    expect(until.getTime()).toBeGreaterThan(0);
    const begun: number[] = [];
    const scheduler = await useScheduler(urls);
    scheduler.define({
      name: 'tick',
      every: { seconds: 0.5 },
      lockSeconds: 6,
      run: async () => void begun.push(Date.now()),
    });
    await scheduler.start();
    await expect.poll(() => begun.length).toBeGreaterThanOrEqual(2);
    // Of one machine, so their clocks are the same.
    expect(begun[0]).toBeGreaterThanOrEqual(until.getTime());
  });

  it('counts failures in a row from the first one, though earlier runs had the same lease', async () => {
    const { urls } = await postgresStore.open();
    const attempts: number[] = [];
    const scheduler = await useScheduler(urls);
    scheduler.define({
      name: 'tick',
      every: { seconds: 0.5 },
      lockSeconds: 60,
      async run({ attempt }) {
        attempts.push(attempt);
        if ([3, 4].includes(attempts.length)) throw new Error('no luck');
      },
    });
    await scheduler.start();
    await expect.poll(() => attempts.length).toBeGreaterThanOrEqual(7);
    expect(attempts.slice(0, 7)).toEqual([1, 1, 1, 2, 3, 1, 1]);
  });
});

describe('a look', () => {
  it('asks once for all names of one turn, and not at all for one alone', async () => {
    const asked: string[][] = [];
    const look = createLook(async (asks) => {
      asked.push(asks.map(({ name }) => name));
      return ['b'];
    });
    const now = new Date();
    const ask = (name: string) => look({ name, lockedBefore: now }, now);
    expect(await Promise.all(['a', 'b', 'c'].map(ask))).toEqual([false, true, false]);
    expect(await ask('a')).toBe(true);
    expect(asked).toEqual([['a', 'b', 'c']]);
  });

  it('finds what is due, and what was left behind', async () => {
    const { urls, database, jobs } = await postgresStore.open();
    await database.query(
      `insert into jobs.agenda_jobs (name, data, next_run_at, locked_at) values
         ('due', '{"key":"a"}', now() - interval '1 second', null),
         ('left', '{"key":"a"}', null, now() - interval '1 hour')`,
    );
    const ran: string[] = [];
    const scheduler = await useScheduler(urls);
    for (const name of ['due', 'left', 'none'])
      scheduler.define(keyed({ name, run: async () => void ran.push(name) }));
    await scheduler.start();
    await expect.poll(jobs).toEqual([]);
    expect(ran.toSorted()).toEqual(['due', 'left']);
  });
});
