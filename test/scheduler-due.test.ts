import { describe, expect, it } from 'vitest';
import { type DueWork, workDue } from '../src/core/due.js';
import { usePool, useTestDatabase } from './support/database.js';

interface Row {
  readonly id: number;
  readonly fence: string;
  readonly attempts: number;
}

/** A table as src/core/due.ts describes it, with rows that are due now. */
async function useRows(count: number, leaseMs = 60_000) {
  const database = await useTestDatabase();
  const pool = usePool({ connectionString: database.url });
  await pool.query(`
    create table chores (id integer primary key, due_at timestamptz not null default now(), lease_until timestamptz,
      fence bigint not null default 0, attempts integer not null default 0, runs integer not null default 0)`);
  await pool.query('insert into chores (id) select generate_series(1, $1::int)', [count]);
  const claim = async (limit: number) => {
    const { rows } = await pool.query<Row>(
      `update chores set lease_until = now() + $2 * interval '1 ms', fence = fence + 1, attempts = attempts + 1
       where id in (select id from chores where due_at <= now() and (lease_until is null or lease_until <= now())
                    order by due_at, id limit $1 for update skip locked)
       returning id, fence, attempts`,
      [limit, leaseMs],
    );
    return rows;
  };
  /** False when another claim has taken the row over. */
  const finish = async ({ id, fence }: Row) => {
    const sql = `update chores set due_at = now() + interval '1 hour', lease_until = null, attempts = 0, runs = runs + 1
      where id = $1 and fence = $2`;
    return (await pool.query(sql, [id, fence])).rowCount === 1;
  };
  const work = (options: Partial<DueWork<Row>> = {}) =>
    workDue<Row>({
      claim,
      work: async (row) => void (await finish(row)),
      failed: (_, error) => expect.fail(String(error)),
      concurrency: 4,
      leaseMs,
      signal: new AbortController().signal,
      lookMs: 20,
      ...options,
    });
  return { pool, claim, finish, work };
}

describe('claimed rows', () => {
  it('are worked on once each, whoever claims them', async () => {
    const { pool, work } = await useRows(100);
    const counts = await Promise.all([work(), work(), work()]);
    expect(counts.reduce((sum, count) => sum + count)).toBe(100);
    expect((await pool.query('select distinct runs from chores')).rows).toEqual([{ runs: 1 }]);
  });

  it('are never more at once than there are places', async () => {
    const { work, finish } = await useRows(30);
    let [now, most] = [0, 0];
    await work({
      async work(row) {
        most = Math.max(most, (now += 1));
        await finish(row);
        now -= 1;
      },
    });
    expect(most).toBe(4);
  });

  it('don’t wait for a slow one, not even those that come later', async () => {
    const { pool, work, finish } = await useRows(10);
    const slow = Promise.withResolvers<void>();
    const done: number[] = [];
    const all = work({
      async work(row) {
        if (row.id === 1) await slow.promise;
        await finish(row);
        done.push(row.id);
      },
    });
    await expect.poll(() => done).toHaveLength(9);
    await pool.query('insert into chores (id) select generate_series(11, 15)');
    await expect.poll(() => done).toHaveLength(14);
    slow.resolve();
    expect(await all).toBe(15);
    expect(done.at(-1)).toBe(1);
  });

  it('are reported when they fail, and are due again when their lease is over', async () => {
    const { work, finish } = await useRows(3, 200);
    const failures: unknown[] = [];
    const attempts: number[] = [];
    const flaky: Partial<DueWork<Row>> = {
      async work(row) {
        if (row.id === 2 && row.attempts === 1) throw new Error('no luck');
        if (row.id === 2) attempts.push(row.attempts);
        await finish(row);
      },
      failed: ({ id }, error) => void failures.push([id, String(error)]),
    };
    expect(await work(flaky)).toBe(3);
    expect(failures).toEqual([[2, 'Error: no luck']]);
    await expect.poll(() => work(flaky)).toBe(1);
    expect(attempts).toEqual([2]);
  });

  it('are told before their lease is over, and change nothing when they come too late', async () => {
    const { pool, claim, work, finish } = await useRows(1, 5_000);
    const fates: unknown[] = [];
    let claims = 0;
    await work({
      claim: async (limit) => ((claims += 1) === 1 ? claim(limit) : []),
      async work(row, signal) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        const { rows } = await pool.query('select lease_until > now() as in_time from chores');
        fates.push(rows[0]);
        await expect.poll(() => claim(1)).toHaveLength(1);
        fates.push(await finish(row));
      },
    });
    expect(fates).toEqual([{ in_time: true }, false]);
    expect((await pool.query('select runs from chores')).rows).toEqual([{ runs: 0 }]);
  });

  it('are not claimed any more once the signal aborts, and those under way hear of it', async () => {
    const { work } = await useRows(20);
    const stop = new AbortController();
    const started: number[] = [];
    const heard: number[] = [];
    const all = work({
      signal: stop.signal,
      async work({ id }, signal) {
        started.push(id);
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        heard.push(id);
      },
    });
    await expect.poll(() => started).toHaveLength(4);
    stop.abort();
    expect(await all).toBe(4);
    expect(new Set(heard)).toEqual(new Set([1, 2, 3, 4]));
  });

  it('are finished before a failing claim is passed on', async () => {
    const { pool, claim, finish, work } = await useRows(8);
    let claims = 0;
    const broken = work({
      claim: (limit) => ((claims += 1) > 1 ? Promise.reject(new Error('away')) : claim(limit)),
      work: async (row) => void (await finish(row)),
    });
    await expect(broken).rejects.toThrow('away');
    expect((await pool.query('select count(*)::int as n from chores where runs = 1')).rows).toEqual([
      { n: 4 },
    ]);
  });
});
