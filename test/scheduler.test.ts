import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { LeaseLost, type Run, requireFence } from '../src/core/scheduler/index.js';
import { Connection } from '../src/connection/connection.entity.js';
import { openDb } from '../src/core/db.js';
import { createLog } from '../src/core/log.js';
import { migrations } from '../src/migrations/index.js';
import {
  type TestStore,
  createStay,
  hasMongo,
  keyed,
  mongoStore,
  postgresStore,
  useScheduler,
} from './support/scheduler.js';

const isMongoThere = await hasMongo();

afterAll(() => {
  // oxlint-disable-next-line no-console -- who reads the output of the tests should know
  if (!isMongoThere) console.log('MongoDB: not run, MONGODB_URL is not set or nothing answers there.');
});

describe.each([
  { kind: postgresStore, isThere: true },
  { kind: mongoStore, isThere: isMongoThere },
])('the scheduler over $kind.name', ({ kind, isThere }) => {
  describe.skipIf(!isThere)('when it is there', () => {
    let store: TestStore;

    beforeEach(async () => {
      store = await kind.open();
    });

    async function leases(): Promise<string[]> {
      const rows = await store.database.query<{ key: string }>('select key from jobs.leases order by key');
      return rows.map(({ key }) => key);
    }

    it('runs what is scheduled, with its data, and leaves nothing behind', async () => {
      const runs: unknown[] = [];
      const scheduler = await useScheduler(store.urls);
      scheduler.define(
        keyed({
          name: 'errand',
          run: async ({ key, data, attempt }) => void runs.push({ key, data, attempt }),
        }),
      );
      await scheduler.start();
      await scheduler.schedule('errand', { key: 'a', data: { text: 'it’s “fine”' } });
      await expect.poll(store.jobs).toEqual([]);
      expect(runs).toEqual([{ key: 'a', data: { text: 'it’s “fine”' }, attempt: 1 }]);
      expect(await leases()).toEqual([]);
      expect(scheduler.reports).toMatchObject([
        { name: 'errand', outcome: 'done', lagSeconds: expect.any(Number) },
      ]);
    });

    it('runs a key once however often and from wherever it is scheduled', async () => {
      const stay = createStay();
      const [one, other] = [await useScheduler(store.urls), await useScheduler(store.urls)];
      for (const scheduler of [one, other]) {
        scheduler.define(keyed({ name: 'errand', run: stay.run, concurrency: 20 }));
        await scheduler.start();
      }
      const twenty = Array.from({ length: 20 }, (_, index) => (index % 2 ? one : other));
      await Promise.all(twenty.map((scheduler) => scheduler.schedule('errand', { key: 'a', data: null })));
      expect(await store.jobs()).toEqual(['errand']);
      await expect.poll(() => stay.started).toEqual(['a']);
      await one.schedule('errand', { key: 'a', data: null });
      stay.leave();
      await expect.poll(store.jobs).toEqual([]);
      expect(stay.started).toEqual(['a']);
    });

    it('waits for the time, and takes back what has not begun', async () => {
      const stay = createStay();
      const scheduler = await useScheduler(store.urls);
      scheduler.define(keyed({ name: 'errand', run: stay.run }));
      await scheduler.start();
      const soon = new Date(Date.now() + 700);
      await scheduler.schedule('errand', { key: 'never', data: null, at: new Date(Date.now() + 60_000) });
      await scheduler.schedule('errand', { key: 'soon', data: null, at: soon });
      await scheduler.cancel('errand', 'never');
      await expect.poll(() => stay.started).toEqual(['soon']);
      expect(Date.now()).toBeGreaterThanOrEqual(soon.getTime());
      stay.leave();
      await expect.poll(store.jobs).toEqual([]);
    });

    it('repeats a recurring job in each of its lanes', async () => {
      const lanes = new Map<string, number>();
      const scheduler = await useScheduler(store.urls);
      scheduler.define({
        name: 'tick',
        every: { seconds: 0.2, lanes: 2 },
        concurrency: 2,
        run: async ({ key }) => void lanes.set(key, (lanes.get(key) ?? 0) + 1),
      });
      await scheduler.start();
      await expect.poll(() => [...lanes.values()].filter((runs) => runs >= 3)).toHaveLength(2);
      expect(await store.jobs()).toEqual(['tick', 'tick']);
    });

    it('replaces the lanes of an earlier interval', async () => {
      const run = async () => {};
      const before = await useScheduler(store.urls);
      before.define({ name: 'tick', every: { seconds: 60, lanes: 3 }, run });
      await before.repair();
      const after = await useScheduler(store.urls);
      after.define({ name: 'tick', every: { seconds: 30 }, run });
      await after.repair();
      expect(await store.jobs()).toEqual(['tick']);
    });

    it('repeats what failed, and gives it up after its attempts', async () => {
      const seen: string[] = [];
      const scheduler = await useScheduler(store.urls);
      scheduler.define(
        keyed({
          name: 'errand',
          maxAttempts: 1,
          async run({ attempt }) {
            seen.push(`run ${attempt}`);
            throw new Error('no luck');
          },
          exhausted: async ({ attempt }) => void seen.push(`exhausted ${attempt}`),
        }),
      );
      await scheduler.start();
      await scheduler.schedule('errand', { key: 'a', data: null });
      await expect.poll(store.jobs).toEqual([]);
      expect(seen).toEqual(['run 1', 'exhausted 2']);
      expect(scheduler.reports.map(({ outcome }) => outcome)).toEqual(['failed', 'exhausted']);
      expect(await leases()).toEqual([]);
    });

    it('leaves a recurring job that only fails alone for a while', async () => {
      const scheduler = await useScheduler(store.urls);
      scheduler.define({
        name: 'tick',
        every: { seconds: 0.1 },
        maxAttempts: 2,
        run: () => Promise.reject(new Error('no luck')),
      });
      await scheduler.start();
      await expect.poll(() => scheduler.reports.length).toBeGreaterThanOrEqual(5);
      expect(scheduler.reports.slice(0, 5).map(({ outcome }) => outcome)).toEqual([
        'failed',
        'failed',
        'busy',
        'busy',
        'busy',
      ]);
    });

    it('shares the work between two workers, each job once', async () => {
      const ran: string[] = [];
      const schedulers = [await useScheduler(store.urls), await useScheduler(store.urls)];
      for (const scheduler of schedulers) {
        const run = async ({ key }: Run) => void ran.push(key);
        scheduler.define(keyed({ name: 'errand', run, concurrency: 4 }));
      }
      const keys = Array.from({ length: 60 }, (_, index) => `k${index}`);
      await Promise.all(keys.map((key) => schedulers[0]!.schedule('errand', { key, data: null })));
      await Promise.all(schedulers.map((scheduler) => scheduler.start()));
      await expect.poll(store.jobs).toEqual([]);
      expect(ran.toSorted()).toEqual(keys.toSorted());
      expect(schedulers.map(({ reports }) => reports.length > 0)).toEqual([true, true]);
    });

    it('goes on as before when the store was emptied, with nothing lost and nothing twice', async () => {
      const stay = createStay();
      const todo = new Set(['a', 'b']);
      let ticks = 0;
      const schedulers = [
        await useScheduler(store.urls, { repairEvery: 100 }),
        await useScheduler(store.urls, { repairEvery: 100 }),
      ];
      for (const scheduler of schedulers) {
        scheduler.define({ name: 'tick', every: { seconds: 0.2 }, run: async () => void (ticks += 1) });
        scheduler.define(
          keyed({
            name: 'errand',
            concurrency: 2,
            lockSeconds: 2,
            expected: async () => [...todo].map((key) => ({ key, data: null })),
            async run(run) {
              await stay.run(run);
              todo.delete(run.key);
            },
          }),
        );
        await scheduler.start();
      }
      await expect.poll(() => stay.started.toSorted()).toEqual(['a', 'b']);
      await store.empty();
      const before = ticks;
      await expect.poll(store.jobs).toEqual(['errand', 'errand', 'tick']);
      await expect.poll(() => ticks).toBeGreaterThan(before + 2);
      // The new rows were tried meanwhile, and refused.
      await expect
        .poll(
          () =>
            schedulers.flatMap(({ reports }) => reports).filter(({ outcome }) => outcome === 'busy').length,
        )
        .toBeGreaterThanOrEqual(2);
      expect(stay.started).toHaveLength(2);
      stay.leave();
      await expect.poll(() => todo.size).toBe(0);
      expect(stay.started).toHaveLength(2);
    });

    it('drains: takes no more, waits for what runs, and leaves the rest to others at once', async () => {
      const stay = createStay();
      const [leaving, staying] = [await useScheduler(store.urls), await useScheduler(store.urls)];
      leaving.define(keyed({ name: 'errand', run: stay.run, concurrency: 2, lockSeconds: 60 }));
      await leaving.start();
      for (const key of ['a', 'b', 'c', 'd']) await leaving.schedule('errand', { key, data: null });
      await expect.poll(() => stay.started).toHaveLength(2);
      let isDrained = false;
      const drained = leaving.drain(20_000).finally(() => (isDrained = true));
      const taken: string[] = [];
      staying.define(
        keyed({ name: 'errand', run: async ({ key }) => void taken.push(key), lockSeconds: 60 }),
      );
      await staying.start();
      await expect.poll(() => taken).toHaveLength(2);
      expect(isDrained).toBe(false);
      stay.leave();
      expect(await drained).toBe(true);
      expect(stay.started).toHaveLength(2);
      expect([...stay.started, ...taken].toSorted()).toEqual(['a', 'b', 'c', 'd']);
      await expect.poll(store.jobs).toEqual([]);
    });

    it('tells a run that a stop interrupts, and does not count it as a failure', async () => {
      const started = Promise.withResolvers<void>();
      const [leaving, staying] = [await useScheduler(store.urls), await useScheduler(store.urls)];
      leaving.define(
        keyed({
          name: 'errand',
          lockSeconds: 60,
          async run({ signal }) {
            started.resolve();
            await delay(60_000, undefined, { signal });
          },
        }),
      );
      await leaving.start();
      await leaving.schedule('errand', { key: 'a', data: null });
      await started.promise;
      expect(await leaving.drain(50)).toBe(true);
      expect(leaving.reports).toMatchObject([{ outcome: 'stopped' }]);
      const attempts: number[] = [];
      staying.define(
        keyed({ name: 'errand', lockSeconds: 60, run: async ({ attempt }) => void attempts.push(attempt) }),
      );
      await staying.start();
      await expect.poll(() => attempts).toEqual([1]);
    });

    it('prolongs the lock of a run that takes long', async () => {
      const stay = createStay();
      const schedulers = [await useScheduler(store.urls), await useScheduler(store.urls)];
      for (const scheduler of schedulers) {
        scheduler.define(keyed({ name: 'errand', run: stay.run, lockSeconds: 0.5 }));
        await scheduler.start();
      }
      await schedulers[0]?.schedule('errand', { key: 'a', data: null });
      await expect.poll(() => stay.started).toEqual(['a']);
      const startedAt = Date.now();
      const leaseEnd = async () =>
        (await store.database.query<{ until: Date }>('select until from jobs.leases'))[0]?.until.getTime() ??
        0;
      await expect.poll(leaseEnd).toBeGreaterThan(startedAt + 2_000);
      stay.leave();
      await expect.poll(store.jobs).toEqual([]);
      expect(stay.started).toEqual(['a']);
    });

    it('lets a run that outlives its lock do no harm', async () => {
      await store.database.query('create table ledger (writer text)');
      await store.database.query('grant select, insert on ledger to tributary_app');
      const db = await openDb({
        url: store.database.url,
        entities: [Connection],
        migrations,
        log: createLog('silent'),
      });
      const overdue = Promise.withResolvers<void>();
      const fates: unknown[] = [];
      const write = (writer: string, run: Run) =>
        db.for({ tenantId: 't' }).transactional(async (em) => {
          await em.execute('insert into ledger values (?)', [writer]);
          await requireFence(em, run.fence);
        });
      const schedulers = [await useScheduler(store.urls), await useScheduler(store.urls)];
      for (const scheduler of schedulers) {
        scheduler.define(
          keyed({
            name: 'errand',
            lockSeconds: 0.5,
            deadlineSeconds: 0.2,
            async run(run) {
              if (run.attempt > 1) {
                await write('second', run);
                return overdue.resolve();
              }
              // Past its deadline nothing prolongs the lock any more, and this one takes no notice.
              await overdue.promise;
              await write('first', run).catch((error: unknown) => {
                fates.push(error);
                throw error;
              });
            },
          }),
        );
        await scheduler.start();
      }
      await schedulers[0]?.schedule('errand', { key: 'a', data: null });
      await expect.poll(() => fates).toEqual([expect.any(LeaseLost)]);
      await expect.poll(store.jobs).toEqual([]);
      await db.close();
      expect(await store.database.query('select writer from ledger')).toContainEqual({ writer: 'second' });
      expect(await store.database.query(`select from ledger where writer = 'first'`)).toEqual([]);
    });
  });
});
