import type { Pool } from 'pg';
import { describe, expect, it } from 'vitest';
import { ProviderFailure } from '../connector/index.js';
import { createLog } from '../core/log.js';
import { HttpError } from '../outbound/client.js';
import { failureOfError } from '../outbound/failure.js';
import type { CallObservation } from '../outbound/provider.js';
import { createHealthObserver } from './observe.js';

const call: CallObservation = {
  tenantId: 'acme',
  connectionId: '0190a000-0000-7000-8000-000000000001',
  providerId: 'example',
  method: 'GET',
  path: '/me',
  at: new Date('2026-11-01T10:00:30.000Z'),
  durationMs: 20,
  lane: 'interactive',
};
const failed = {
  ...call,
  failure: new ProviderFailure({ category: 'PROVIDER', code: 'http_503', message: 'Down' }),
};

/** Stands for a database that is there or not: what is tested is what is kept while it isn't. */
function pool(): { written: unknown[][]; isAway: boolean; asPool: Pool } {
  const state = { written: [] as unknown[][], isAway: false };
  const query = async (_sql: string, values: string[]) => {
    if (state.isAway) throw new Error('away');
    state.written.push(values.map((value) => JSON.parse(value) as unknown));
  };
  return Object.assign(state, { asPool: { query } as unknown as Pool });
}

describe('the health observer', () => {
  it('sums calls of a minute and writes nothing when there was nothing', async () => {
    const database = pool();
    const observer = createHealthObserver(database.asPool, createLog('silent'));
    await observer.flush();
    expect(database.written).toEqual([]);
    observer.observe(call);
    observer.observe(failed);
    observer.observe({ ...call, at: new Date('2026-11-01T10:01:00.000Z') });
    await observer.flush();
    expect(database.written).toEqual([
      [
        [
          expect.objectContaining({ minute: '2026-11-01T10:00:00.000Z', requests: 2, errors: 1 }),
          expect.objectContaining({ minute: '2026-11-01T10:01:00.000Z', requests: 1, errors: 0 }),
        ],
        [
          expect.objectContaining({
            last_success_at: '2026-11-01T10:01:00.000Z',
            last_failure_at: '2026-11-01T10:00:30.000Z',
            recent_errors: [
              { category: 'PROVIDER', code: 'http_503', message: 'Down', at: '2026-11-01T10:00:30.000Z' },
            ],
          }),
        ],
      ],
    ]);
  });

  it.each<[string, Partial<CallObservation>, object, number]>([
    ['what an action asked for and is not there', {}, { category: 'NOT_FOUND', providerStatus: 404 }, 0],
    ['what an action asked for and can’t be', {}, { category: 'INVALID', providerStatus: 422 }, 0],
    [
      'what a poll asked for and is not there',
      { lane: 'poll' },
      { category: 'NOT_FOUND', providerStatus: 404 },
      1,
    ],
    ['what a probe asked for', { lane: 'backfill' }, { category: 'INVALID', providerStatus: 422 }, 1],
    ['an address that may not be called', {}, { category: 'INVALID' }, 1],
    ['a credential that is refused', {}, { category: 'AUTH', providerStatus: 401 }, 1],
    ['a provider that fails', {}, { category: 'PROVIDER', providerStatus: 500 }, 1],
  ])('holds against a connection what is its trouble: %s', async (_, more, details, errors) => {
    const database = pool();
    const observer = createHealthObserver(database.asPool, createLog('silent'));
    const failure = new ProviderFailure({ category: 'UNKNOWN', code: 'x', message: 'x', ...details });
    observer.observe({ ...call, ...more, failure });
    await observer.flush();
    expect(database.written).toEqual([
      [
        [expect.objectContaining({ requests: 1, errors })],
        [
          expect.objectContaining({
            recent_errors: Array.from({ length: errors }, () => expect.objectContaining(details)),
          }),
        ],
      ],
    ]);
  });

  it('passes over what was given up', async () => {
    const database = pool();
    const observer = createHealthObserver(database.asPool, createLog('silent'));
    observer.observe({ ...call, failure: failureOfError(new HttpError('cancelled', true, 'x')) });
    await observer.flush();
    expect(database.written).toEqual([]);
  });

  it('loses nothing while the database is away', async () => {
    const database = pool();
    const observer = createHealthObserver(database.asPool, createLog('silent'));
    database.isAway = true;
    observer.observe(call);
    await observer.flush();
    observer.observe(failed);
    await observer.flush();
    database.isAway = false;
    observer.observe(call);
    await observer.flush();
    expect(database.written).toEqual([
      [[expect.objectContaining({ requests: 3, errors: 1 })], [expect.anything()]],
    ]);
    await observer.flush();
    expect(database.written).toHaveLength(1);
  });

  it('keeps ten errors, the newest first', async () => {
    const database = pool();
    const observer = createHealthObserver(database.asPool, createLog('silent'));
    for (let second = 10; second < 30; second += 1)
      observer.observe({ ...failed, at: new Date(`2026-11-01T10:00:${second}.000Z`) });
    await observer.flush();
    const [, [state]] = database.written[0] as [unknown, [{ recent_errors: { at: string }[] }]];
    expect(state.recent_errors).toHaveLength(10);
    expect(state.recent_errors[0]?.at).toBe('2026-11-01T10:00:29.000Z');
  });
});
