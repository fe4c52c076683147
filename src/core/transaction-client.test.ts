import { expect, inject, it, onTestFinished } from 'vitest';
import { useClient, useTestDatabase } from '../../test/support/database.js';
import { entities } from '../entities.js';
import { migrations } from '../migrations/index.js';
import { openDb } from './db.js';
import { createLog } from './log.js';
import { TransactionClient } from './transaction-client.js';

const TENANT = `select set_config('tributary.tenant', 'acme', true)`;
const ASK = `select current_setting('tributary.tenant', true) as tenant`;

/** A connection, and what the server says of it: the last message it took, and whether it is in a transaction. */
async function connect() {
  const connectionString = inject('postgresUrl');
  const client = new TransactionClient({ connectionString });
  await client.connect();
  onTestFinished(() => client.end());
  const { rows } = await client.query('select pg_backend_pid() as pid');
  const observer = await useClient({ connectionString });
  const seen = async () => {
    const ask = 'select query, state from pg_stat_activity where pid = $1';
    return (await observer.query(ask, [rows[0].pid])).rows[0] as { query: string; state: string };
  };
  return { client, seen };
}

it('sends what begins a transaction together with its first statement', async () => {
  const { client, seen } = await connect();
  expect(await client.query('begin')).toMatchObject({ command: 'BEGIN', rows: [] });
  await client.query(TENANT);
  expect(await seen()).toMatchObject({ state: 'idle', query: 'select pg_backend_pid() as pid' });
  expect(await client.query(ASK)).toMatchObject({
    command: 'SELECT',
    rowCount: 1,
    rows: [{ tenant: 'acme' }],
  });
  expect(await seen()).toEqual({ state: 'idle in transaction', query: `begin;${TENANT};${ASK}` });
  expect((await client.query(ASK)).rows).toEqual([{ tenant: 'acme' }]);
  expect(await seen()).toEqual({ state: 'idle in transaction', query: ASK });
  await client.query('commit');
  expect(await seen()).toEqual({ state: 'idle', query: 'commit' });
  // The tenant was one transaction's.
  expect((await client.query(ASK)).rows).toEqual([{ tenant: '' }]);
});

it('keeps what one transaction wrote from another that is rolled back', async () => {
  const { client } = await connect();
  await client.query('create temp table notes (text text)');
  for (const [text, end] of [
    ['kept', 'commit'],
    ['lost', 'rollback'],
  ]) {
    await client.query('begin');
    await client.query(`insert into notes values ('${text}')`);
    await client.query(end!);
  }
  expect((await client.query('select text from notes')).rows).toEqual([{ text: 'kept' }]);
});

it('sends a first statement with values after the beginning, in the same transaction', async () => {
  const { client, seen } = await connect();
  await client.query('begin');
  await client.query(TENANT);
  const ask = `select current_setting('tributary.tenant', true) as tenant, $1 as given`;
  expect((await client.query(ask, ['x'])).rows).toEqual([{ tenant: 'acme', given: 'x' }]);
  expect(await seen()).toEqual({ state: 'idle in transaction', query: ask });
  await client.query('rollback');
  expect((await seen()).state).toBe('idle');
});

it.for(['commit', 'rollback'])('sends nothing of a transaction without statements: %s', async (end) => {
  const { client, seen } = await connect();
  await client.query('begin');
  await client.query(TENANT);
  expect(await client.query(end)).toMatchObject({ rows: [] });
  expect(await seen()).toEqual({ state: 'idle', query: 'select pg_backend_pid() as pid' });
  expect((await client.query(ASK)).rows).toEqual([{ tenant: null }]);
  expect((await seen()).state).toBe('idle');
});

it.for([
  ['select 1 / (1 - 1)', []],
  ['select 1 / $1::integer', [0]],
] as const)(
  'leaves a transaction to be rolled back whose first statement fails: %s',
  async ([text, values]) => {
    const { client, seen } = await connect();
    await client.query('begin');
    await client.query(TENANT);
    await expect(client.query(text, [...values])).rejects.toThrow('division by zero');
    expect((await seen()).state).toBe('idle in transaction (aborted)');
    await client.query('rollback');
    expect((await seen()).state).toBe('idle');
  },
);

it('forgets a beginning that nothing followed, for whoever has the connection next', async () => {
  const { client, seen } = await connect();
  await client.query('begin');
  await client.query(TENANT);
  client.forget();
  expect((await client.query(ASK)).rows).toEqual([{ tenant: null }]);
  expect((await seen()).state).toBe('idle');
});

it('is what everything under a tenant is read through', async () => {
  const { url } = await useTestDatabase();
  const db = await openDb({ url, entities, migrations, log: createLog('warn') });
  onTestFinished(() => db.close());
  const observer = await useClient({ connectionString: url });
  const ask = `select query from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`;
  await db.for({ tenantId: 'acme' }).transactional(async (transaction) => {
    expect(await transaction.execute(ASK)).toEqual([{ tenant: 'acme' }]);
    expect((await observer.query(ask)).rows).toEqual([{ query: `begin;${TENANT};${ASK}` }]);
  });
});
