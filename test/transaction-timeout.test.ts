import { expect, it, onTestFinished } from 'vitest';
import { openDb } from '../src/core/db.js';
import { createLog } from '../src/core/log.js';
import { toCallersError } from '../src/core/postgres.js';
import { migrations } from '../src/migrations/index.js';
import { Signal } from '../src/signal/signal.entity.js';
import { useTestDatabase } from './support/database.js';

it('a transaction that waits for its client is ended by the server, and tells the caller to come again', async () => {
  const database = await useTestDatabase();
  const log = createLog('silent');
  const db = await openDb({ url: database.url, entities: [Signal], migrations, log });
  onTestFinished(() => db.close());
  const em = () => db.for({ tenantId: 'acme' });
  const setting = 'show idle_in_transaction_session_timeout';
  expect(await em().execute(setting)).toEqual([{ idle_in_transaction_session_timeout: '30s' }]);
  expect((await db.doors.query(setting)).rows).toEqual([{ idle_in_transaction_session_timeout: '30s' }]);
  const waiting = em().transactional(async (transaction) => {
    await transaction.execute(`set local idle_in_transaction_session_timeout = '50ms'`);
    const [{ pid }] = (await transaction.execute('select pg_backend_pid() as pid')) as [{ pid: number }];
    await expect
      .poll(() => database.query(`select pid from pg_stat_activity where pid = ${pid}`))
      .toEqual([]);
    return transaction.execute('select 1');
  });
  const error: unknown = await waiting.catch((thrown: unknown) => thrown);
  expect(toCallersError(error)).toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  expect(await em().execute('select 1 as one')).toEqual([{ one: 1 }]);
});
