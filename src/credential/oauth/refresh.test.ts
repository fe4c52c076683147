import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addConnection,
  expire,
  plainSealer,
  readCredential,
  storeTokens,
} from '../../../test/support/oauth-credentials.js';
import { type TestClock, createTestClock } from '../../../test/support/clock.js';
import { type TestDatabase, createTestDatabase } from '../../../test/support/database.js';
import { Connection } from '../../connection/connection.entity.js';
import type { RefreshTokenRule, TokenSet } from '../../connector/index.js';
import { type Db, openDb } from '../../core/db.js';
import { createLog } from '../../core/log.js';
import { Secret } from '../../core/secret.js';
import { migrations } from '../../migrations/index.js';
import { OAuthFailure } from './failure.js';
import { type CredentialKey, type LeaseStore, createLeaseStore } from './lease.js';
import { type RefreshOutcome, type Refresher, type Sealer, createRefresher } from './refresh.js';

const ROTATING: RefreshTokenRule = { rotates: true, reuseSeconds: 0 };
const LENIENT: RefreshTokenRule = { rotates: true, reuseSeconds: 600 };
const LASTING: RefreshTokenRule = { rotates: false, reuseSeconds: 0 };

const log = createLog('silent');
let database: TestDatabase;
let db: Db;

beforeAll(async () => {
  database = await createTestDatabase();
  db = await openDb({ url: database.url, entities: [Connection], migrations, log });
});

afterAll(async () => {
  await db.close();
  await database.drop();
});

interface Process {
  readonly refresher: Refresher;
  readonly store: LeaseStore;
}

interface Setup extends Process {
  readonly clock: TestClock;
  readonly key: CredentialKey;
  /** Refresh tokens in the order they were used. */
  readonly used: string[];
  /** What the provider does next, in place of giving a new pair. */
  readonly script: (() => Promise<TokenSet> | TokenSet)[];
  ask(options?: Partial<Ask>): Promise<RefreshOutcome>;
  /** As another process: nothing shared but the database. */
  process(changes?: Partial<Changes>): Process;
}

interface Changes {
  readonly sealer: Sealer;
  readonly waitMs: number;
  readonly leaseMs: number;
  /** Runs between looking and taking the lease. */
  readonly beforeLease: () => Promise<unknown>;
}

interface Ask {
  readonly rule: RefreshTokenRule;
  readonly by: Process;
  readonly refusedVersion: number;
}

function pair(number: number, expiresAt: Date): TokenSet {
  return {
    accessToken: new Secret(`access-${number}`),
    refreshToken: new Secret(`refresh-${number}`),
    tokenType: 'bearer',
    expiresAt,
  };
}

async function start(lifeMs = -1_000): Promise<Setup> {
  const clock = createTestClock();
  const inMs = (milliseconds: number) => new Date(clock.now().getTime() + milliseconds);
  const key = await addConnection(database, pair(1, inMs(lifeMs)));
  const used: string[] = [];
  const script: Setup['script'] = [];

  const process: Setup['process'] = ({
    sealer = plainSealer,
    waitMs = 10_000,
    leaseMs,
    beforeLease,
  } = {}) => {
    const plain = createLeaseStore(db, leaseMs);
    const store: LeaseStore = {
      ...plain,
      async acquire(claimant) {
        await beforeLease?.();
        return plain.acquire(claimant);
      },
    };
    return { store, refresher: createRefresher({ store, sealer, clock, log, waitMs, random: () => 1 }) };
  };
  const own = process();

  return {
    ...own,
    clock,
    key,
    used,
    script,
    process,
    ask: ({ rule = ROTATING, by = own, refusedVersion } = {}) =>
      by.refresher.tokensOf({
        ...key,
        rule,
        ...(refusedVersion !== undefined && { refusedVersion }),
        async renew({ refreshToken }) {
          used.push(refreshToken?.reveal() ?? '');
          return (await script.shift()?.()) ?? pair(used.length + 1, inMs(3_600_000));
        },
      }),
  };
}

function fail(kind: OAuthFailure['kind'], retryAt?: Date) {
  return () => Promise.reject(new OAuthFailure(kind, 'It failed.', { retryAt }));
}

/** Never settles, as when the process is gone in the middle of it. */
const vanish = () => new Promise<never>(() => {});

function access(outcome: RefreshOutcome): string | undefined {
  return 'tokens' in outcome ? outcome.tokens?.accessToken.reveal() : undefined;
}

describe('tokens', () => {
  it('that last are handed out as they are', async () => {
    const { ask, used } = await start(3_600_000);
    const outcome = await ask();
    expect(outcome).toMatchObject({ kind: 'ready', version: 1, isRenewed: false });
    expect(access(outcome)).toBe('access-1');
    expect(used).toEqual([]);
  });

  it('that end within a minute are renewed, stored, and what was sealed beside them stays', async () => {
    const { ask, used, clock, key } = await start(3_600_000);
    clock.advance(3_600_000 - 61_000);
    expect(access(await ask())).toBe('access-1');
    clock.advance(2_000);
    const outcome = await ask();
    expect(outcome).toMatchObject({ kind: 'ready', version: 2, isRenewed: true });
    expect(access(outcome)).toBe('access-2');
    expect(used).toEqual(['refresh-1']);
    const row = await readCredential(database, key);
    expect(row.fields).toMatchObject({
      access_token: 'access-2',
      refresh_token: 'refresh-2',
      client_note: 'kept',
    });
    expect(row).toMatchObject({
      version: 2,
      refresh_owner: null,
      refresh_sent_at: null,
      refresh_until: null,
    });
    expect(row.expires_at?.getTime()).toBeGreaterThan(clock.now().getTime() + 3_500_000);
  });

  it('of a short life are used for nine tenths of it', async () => {
    const { ask, used, clock } = await start(30_000);
    clock.advance(25_000);
    await ask();
    expect(used).toEqual([]);
    clock.advance(2_500);
    await ask();
    expect(used).toEqual(['refresh-1']);
  });

  it('are renewed once for all who ask at once, here and in another process', async () => {
    const { ask, used, process } = await start();
    const other = process();
    const outcomes = await Promise.all([ask(), ask(), ask({ by: other }), ask(), ask({ by: other })]);
    expect(outcomes.map(access)).toEqual(Array.from({ length: 5 }, () => 'access-2'));
    expect(outcomes.filter((outcome) => outcome.kind === 'ready' && outcome.isRenewed)).toHaveLength(1);
    expect(used).toEqual(['refresh-1']);
  });

  it('that the provider refuses are renewed before their time, and only those', async () => {
    const { ask, used, clock } = await start(3_600_000);
    clock.advance(60_000);
    expect(access(await ask({ refusedVersion: 1 }))).toBe('access-2');
    expect(access(await ask({ refusedVersion: 1 }))).toBe('access-2');
    expect(used).toEqual(['refresh-1']);
  });

  it('that the provider refuses in their first minute are kept: others would be refused as well', async () => {
    const { ask, used, clock } = await start(3_600_000);
    clock.advance(50_000);
    expect(access(await ask({ refusedVersion: 1 }))).toBe('access-1');
    expect(used).toEqual([]);
  });

  it('of nobody are not found', async () => {
    const { refresher, key } = await start();
    const renew = () => Promise.reject(new Error('never'));
    const asked = refresher.tokensOf({ ...key, tenantId: 'globex', rule: ROTATING, renew });
    await expect(asked).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('a lost answer', () => {
  it('ends a credential that rotates: nothing is sent again until there is a new one', async () => {
    const { ask, used, script, clock, key, process } = await start();
    script.push(fail('lost'));
    expect(await ask()).toMatchObject({ kind: 'lost' });
    clock.advance(86_400_000);
    expect(await ask()).toMatchObject({ kind: 'lost' });
    expect(await ask({ by: process() })).toMatchObject({ kind: 'lost' });
    expect(used).toEqual(['refresh-1']);
    await storeTokens(database, key, pair(9, new Date(0)));
    expect(access(await ask())).toBe('access-3');
    expect(used).toEqual(['refresh-1', 'refresh-9']);
  });

  it('is what a process leaves that dies after sending', async () => {
    const { ask, used, script, process } = await start();
    const dying = process({ leaseMs: 300 });
    script.push(vanish);
    void ask({ by: dying });
    await expect.poll(() => used.length).toBe(1);
    expect(await ask()).toMatchObject({ kind: 'lost' });
    expect(used).toEqual(['refresh-1']);
  });

  it('is not what a process leaves that dies before sending', async () => {
    const { ask, used, process, key } = await start();
    const { store } = process({ leaseMs: 300 });
    await store.acquire({ ...key, owner: '00000000-0000-4000-8000-000000000001' });
    expect(access(await ask())).toBe('access-2');
    expect(used).toEqual(['refresh-1']);
  });

  it('is asked for again where the refresh token stays', async () => {
    const { ask, used, script, clock } = await start();
    script.push(fail('lost'));
    expect(await ask({ rule: LASTING })).toMatchObject({ kind: 'failed', failure: { kind: 'lost' } });
    clock.advance(86_400_000);
    expect(await ask({ rule: LASTING })).toMatchObject({ kind: 'ready', isRenewed: true });
    expect(used).toEqual(['refresh-1', 'refresh-1']);
  });

  it('is asked for again while the provider takes the old token, counted from the first time', async () => {
    const { ask, used, script, clock, key } = await start();
    script.push(fail('lost'), fail('server'), fail('lost'));
    const sentAt: (number | undefined)[] = [];
    for (const [kind, calls] of [
      ['lost', 1],
      ['server', 2],
      ['lost', 3],
    ] as const) {
      expect(await ask({ rule: LENIENT })).toMatchObject({ kind: 'failed', failure: { kind } });
      expect(used).toHaveLength(calls);
      sentAt.push((await readCredential(database, key)).refresh_sent_at?.getTime());
      clock.advance(20_000);
    }
    expect(sentAt).toEqual(Array.from({ length: 3 }, () => expect.any(Number)));
    expect(new Set(sentAt).size).toBe(1);
    const age = (seconds: number) =>
      database.query(
        `update credentials set refresh_sent_at = now() - $2 * interval '1 second' where connection_id = $1`,
        [key.connectionId, seconds],
      );
    await age(595);
    expect(await ask({ rule: LENIENT })).toMatchObject({ kind: 'lost' });
    await age(580);
    expect(await ask({ rule: LENIENT })).toMatchObject({ kind: 'ready', isRenewed: true });
    expect(used).toHaveLength(4);
  });
});

describe('a failure', () => {
  it('of the grant is final', async () => {
    const { ask, script, used, key } = await start();
    script.push(fail('invalid_grant'));
    expect(await ask()).toMatchObject({ kind: 'refused', failure: { kind: 'invalid_grant' } });
    expect(await readCredential(database, key)).toMatchObject({ version: 1, refresh_sent_at: null });
    expect(used).toHaveLength(1);
  });

  it.each(['server', 'unreachable', 'invalid_client'] as const)(
    'of kind %s is tried again, each time later',
    async (kind) => {
      const { ask, script, used, clock, key } = await start();
      for (const [failures, seconds] of [
        [1, 2],
        [2, 4],
        [3, 8],
      ] as const) {
        script.push(fail(kind));
        const outcome = await ask();
        expect(outcome).toMatchObject({ kind: 'failed', tokens: null, failure: { kind } });
        const waitMs = outcome.kind === 'failed' ? outcome.retryAt.getTime() - clock.now().getTime() : 0;
        expect(Math.abs(waitMs - seconds * 1000)).toBeLessThan(900);
        expect(await readCredential(database, key)).toMatchObject({
          refresh_failures: failures,
          refresh_sent_at: null,
        });
        // Before its time nobody tries.
        expect(await ask()).toMatchObject({ kind: 'failed', failure: null });
        expect(used).toHaveLength(failures);
        clock.advance(seconds * 1000);
      }
      expect(await ask()).toMatchObject({ kind: 'ready', isRenewed: true });
      expect(await readCredential(database, key)).toMatchObject({ refresh_failures: 0, refresh_after: null });
    },
  );

  it('waits as long as the provider says', async () => {
    const { ask, script, clock, used } = await start();
    const retryAt = new Date(clock.now().getTime() + 600_000);
    script.push(fail('server', retryAt));
    expect(await ask()).toMatchObject({ kind: 'failed', retryAt });
    clock.advance(590_000);
    expect(await ask()).toMatchObject({ kind: 'failed', retryAt });
    clock.advance(11_000);
    expect(await ask()).toMatchObject({ kind: 'ready' });
    expect(used).toHaveLength(2);
  });

  it('but a quarter of an hour at most: a slip of the provider’s must not shut a connection out for a year', async () => {
    const { ask, script, clock } = await start();
    script.push(fail('server', new Date(clock.now().getTime() + 365 * 86_400_000)));
    expect(await ask()).toMatchObject({ kind: 'failed' });
    clock.advance(900_001);
    expect(await ask()).toMatchObject({ kind: 'ready' });
  });

  it('leaves the old token in use while it lasts', async () => {
    const { ask, script, clock } = await start(3_600_000);
    clock.advance(3_560_000);
    script.push(fail('server'));
    const outcome = await ask();
    expect(outcome).toMatchObject({ kind: 'failed' });
    expect(access(outcome)).toBe('access-1');
    expect(access(await ask())).toBe('access-1');
  });
});

describe('storing', () => {
  it('is tried for as long as the lease lasts, and nothing is used before', async () => {
    const { ask, used, process } = await start();
    let troubles = 3;
    const sealer: Sealer = {
      ...plainSealer,
      seal(plaintext, place) {
        troubles -= 1;
        return troubles >= 0 ? Promise.reject(new Error('away')) : plainSealer.seal(plaintext, place);
      },
    };
    const outcome = await ask({ by: process({ sealer }) });
    expect(outcome).toMatchObject({ kind: 'ready', isRenewed: true });
    expect(access(await ask())).toBe('access-2');
    expect(used).toEqual(['refresh-1']);
  });

  it.each([
    [ROTATING, 'lost'],
    [LASTING, 'failed'],
  ] as const)('that never succeeds: %o is %s', async (rule, kind) => {
    const { ask, used, process, key } = await start();
    const sealer: Sealer = { ...plainSealer, seal: () => Promise.reject(new Error('away')) };
    const by = process({ sealer, leaseMs: 400 });
    expect(await ask({ by, rule })).toMatchObject({ kind });
    expect((await readCredential(database, key)).version).toBe(1);
    const next = await ask({ rule });
    expect(next).toMatchObject({ kind: rule.rotates ? 'lost' : 'ready' });
    expect(used).toHaveLength(rule.rotates ? 1 : 2);
  });

  it('drops what a rotation kept for its overlap: it belongs to the version before', async () => {
    const { ask, key } = await start();
    const id = key.connectionId;
    await database.query(
      `update credentials set sealed_previous = 'old', previous_until = now() + interval '1 day' where connection_id = $1`,
      [id],
    );
    expect(await ask()).toMatchObject({ kind: 'ready', isRenewed: true });
    const kept = await database.query(
      'select sealed_previous, previous_until from credentials where connection_id = $1',
      [id],
    );
    expect(kept).toEqual([{ sealed_previous: null, previous_until: null }]);
  });

  it('gives way to whoever replaced the credential meanwhile', async () => {
    const { ask, script, used, key, clock } = await start();
    script.push(async () => {
      await storeTokens(database, key, pair(7, new Date(clock.now().getTime() + 3_600_000)));
      return pair(2, new Date(clock.now().getTime() + 3_600_000));
    });
    const outcome = await ask();
    expect(outcome).toMatchObject({ kind: 'ready', version: 2, isRenewed: false });
    expect(access(outcome)).toBe('access-7');
    expect(used).toEqual(['refresh-1']);
  });
});

describe('waiting', () => {
  it('for another process ends, and nobody sends without the lease', async () => {
    const { ask, used, process, key } = await start();
    const { store } = process();
    const owner = '00000000-0000-4000-8000-000000000001';
    expect(await store.acquire({ ...key, owner })).toMatchObject({ isLeased: false, version: 1 });
    expect(await store.acquire({ ...key, owner: owner.replace('1', '2') })).toBeNull();
    const impatient = process({ waitMs: 150 });
    expect(await ask({ by: impatient })).toMatchObject({ kind: 'failed', tokens: null, failure: null });
    expect(used).toEqual([]);
  });

  it('does not make up for what happened before the lease was taken', async () => {
    const { ask, used, process } = await start();
    const slow = process({ beforeLease: () => ask() });
    expect(await ask({ by: slow })).toMatchObject({ kind: 'ready', version: 2, isRenewed: false });
    expect(used).toEqual(['refresh-1']);
  });

  it('is over when the running exchange is', async () => {
    const { ask, refresher, script, clock } = await start();
    let finish = () => {};
    script.push(async () => {
      await new Promise<void>((resolve) => (finish = resolve));
      return pair(2, new Date(clock.now().getTime() + 3_600_000));
    });
    const asked = ask();
    let isDrained = false;
    const drained = refresher.drain().then(() => (isDrained = true));
    await expect.poll(() => script.length).toBe(0);
    expect(isDrained).toBe(false);
    finish();
    await drained;
    expect(await asked).toMatchObject({ kind: 'ready' });
  });
});

describe('what is due', () => {
  it('is what ends within five minutes, spread over four of them, of all tenants', async () => {
    const { refresher, clock } = await start(86_400_000);
    const now = clock.now().getTime();
    const minutes = Array.from({ length: 24 }, (_, index) => index * 0.25);
    const keys = await Promise.all(
      minutes.map((minute) => addConnection(database, pair(1, new Date(now + minute * 60_000)))),
    );
    const due = new Set((await refresher.due(1_000)).map(({ connectionId }) => connectionId));
    const isDue = keys.map(({ connectionId }) => due.has(connectionId));
    expect(isDue.slice(0, 4)).toEqual([true, true, true, true]);
    expect(isDue.slice(20)).toEqual([false, false, false, false]);
    clock.advance(240_000);
    const later = new Set((await refresher.due(1_000)).map(({ connectionId }) => connectionId));
    expect(keys.slice(0, 20).every(({ connectionId }) => later.has(connectionId))).toBe(true);
    expect(await refresher.due(3)).toHaveLength(3);
  });

  it('leaves out what waits, is being renewed, needs a person, or is no OAuth', async () => {
    const { refresher, key, clock, store } = await start();
    const others = [
      await addConnection(database, pair(1, new Date(0)), 'API_KEY'),
      await addConnection(database, pair(1, new Date(0))),
    ];
    const [, asleep] = others;
    await database.query(`update connections set status = 'REAUTHORIZATION_REQUIRED' where id = $1`, [
      asleep?.connectionId,
    ]);
    const own = new Set([key, ...others].map(({ connectionId }) => connectionId));
    const ids = async () =>
      (await refresher.due(1_000)).map(({ connectionId }) => connectionId).filter((id) => own.has(id));
    expect(await ids()).toEqual([key.connectionId]);

    await database.query('update credentials set refresh_after = $1', [
      new Date(clock.now().getTime() + 60_000),
    ]);
    expect(await ids()).toEqual([]);
    clock.advance(61_000);
    expect(await ids()).toEqual([key.connectionId]);

    const claimant = { ...key, owner: '00000000-0000-4000-8000-000000000001' };
    await store.acquire(claimant);
    expect(await ids()).toEqual([]);
    await store.release(claimant, { isUnanswered: false, failures: 0, refreshAfter: null });
    expect(await ids()).toEqual([key.connectionId]);
    await expire(database, key);
    expect(await ids()).toEqual([key.connectionId]);
  });
});
