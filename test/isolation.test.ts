import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { useClient, useTestDatabase } from './support/database.js';

const TABLES = [
  'connections',
  'credentials',
  'webhook_endpoints',
  'actions',
  'receipts',
  'deliveries',
  'signals',
  'connection_health',
  'health_minutes',
  'data_keys',
  'reseals',
  'secret_accesses',
  'call_budgets',
  'tenant_plans',
  'webhook_registrations',
  'webhook_apps',
  'oauth_apps',
  'oauth_flows',
  'connection_changes',
  'pollings',
  'poll_streams',
  'poll_findings',
  'health_changes',
  'incidents',
  'incident_sinks',
  'incident_deliveries',
  'provider_calls',
  'receipt_queue',
  'entity_event_positions',
  'receipt_logs',
  'receipt_leaves',
  'receipt_nodes',
  'receipt_checkpoints',
  'checkpoint_keys',
  'receipt_witnesses',
  'receipt_anchors',
  'feed_horizons',
];

function connectAsApp(url: string): Promise<Client> {
  return useClient({ connectionString: url, options: '-c role=tributary_app' });
}

async function seed(
  query: (sql: string, values: unknown[]) => Promise<unknown>,
  tenant: string,
): Promise<string> {
  const id = randomUUID();
  await query(
    `insert into connections (id, tenant_id, provider_id, name, status, auth_method, capabilities, settings, tags, created_at, updated_at)
     values ($1, $2, 'example', $3, 'ACTIVE', 'BEARER', '{}', '{}', '{}', now(), now())`,
    [id, tenant, `connection ${id}`],
  );
  return id;
}

describe('the role every request runs under', () => {
  it('sees nothing without a tenant, and only its own rows with one', async () => {
    const database = await useTestDatabase();
    const mine = await seed(database.query, 'acme');
    await seed(database.query, 'globex');
    const app = await connectAsApp(database.url);
    for (const table of TABLES) expect((await app.query(`select * from ${table}`)).rows).toEqual([]);
    await app.query(`begin; set local tributary.tenant = 'acme'`);
    expect((await app.query('select id from connections')).rows).toEqual([{ id: mine }]);
    expect((await app.query(`update connections set name = 'x' where tenant_id = 'globex'`)).rowCount).toBe(
      0,
    );
    await app.query('commit');
    expect((await app.query('select * from connections')).rows).toEqual([]);
  });

  it('can’t write a row of another tenant, nor hang one on another tenant’s connection', async () => {
    const database = await useTestDatabase();
    const theirs = await seed(database.query, 'globex');
    const app = await connectAsApp(database.url);
    await app.query(`set tributary.tenant = 'acme'`);
    await expect(seed((sql, values) => app.query(sql, values), 'globex')).rejects.toThrow(
      /row-level security/,
    );
    const hang = `insert into credentials (connection_id, tenant_id, version, sealed, created_at) values ($1, 'acme', 1, '', now())`;
    await expect(app.query(hang, [theirs])).rejects.toThrow(/foreign key/);
  });

  it('owns nothing, can’t bypass the policies, write the journal, or change a receipt', async () => {
    const database = await useTestDatabase();
    const app = await connectAsApp(database.url);
    const [role] = (
      await app.query(`select rolsuper, rolbypassrls, rolcanlogin from pg_roles where rolname = current_user`)
    ).rows;
    expect(role).toEqual({ rolsuper: false, rolbypassrls: false, rolcanlogin: false });
    const owned = `select relname from pg_class where relowner = (select oid from pg_roles where rolname = 'tributary_app')`;
    expect((await app.query(owned)).rows).toEqual([]);
    for (const statement of [
      'insert into signals (sequence) values (1)',
      'insert into deliveries (id) values (gen_random_uuid())',
      'update signals set type = null',
      'delete from deliveries',
      'update deliveries set failure = null',
      'update receipts set outcome = null',
      'delete from receipts',
      'update receipts set leaf = null',
      'delete from receipt_queue',
      'insert into receipt_leaves (leaf_index) values (0)',
      'update receipt_nodes set hash = null',
      'delete from receipt_checkpoints',
      'update receipt_logs set size = 0',
      'delete from connections',
      'alter table connections disable row level security',
      `select nextval('signal_sequence')`,
    ]) {
      await expect(app.query(statement), statement).rejects.toThrow(/permission denied|must be owner/);
    }
  });

  it('has no more to see or to write in functions that take the tenant', async () => {
    const database = await useTestDatabase();
    const theirs = await seed(database.query, 'globex');
    const app = await connectAsApp(database.url);
    const ask = async (sql: string, values: unknown[]) => (await app.query(sql, values)).rows;
    const read = 'select id from connection_read($1, $2)';
    expect(await ask(read, ['acme', theirs])).toEqual([]);
    expect(await ask(read, ['globex', theirs])).toEqual([{ id: theirs }]);
    // The tenant was that one statement's.
    expect((await app.query('select * from connections')).rows).toEqual([]);

    const [action, lease] = [randomUUID(), randomUUID()];
    const begin = `select held_until > clock_timestamp() + interval '50 seconds' as held
      from action_begin($1, $2, $3, 'example', 'createIssue', '', '', 'key', 'corr', null, 'ada', $4, now())`;
    await expect(ask(begin, ['acme', action, theirs, lease])).rejects.toThrow(/foreign key/);
    expect(await ask(begin, ['globex', action, theirs, lease])).toEqual([{ held: true }]);
    expect(await ask(begin, ['globex', randomUUID(), theirs, lease])).toEqual([]);

    const settle = `select action_settle($1, $2, $3, 'SUCCEEDED', 1, null, null, false, now(), null, true, null)`;
    expect(await ask(settle, ['acme', action, lease])).toEqual([{ action_settle: false }]);
    expect(await ask(settle, ['globex', action, randomUUID()])).toEqual([{ action_settle: false }]);
    expect(await ask(settle, ['globex', action, lease])).toEqual([{ action_settle: true }]);
    expect(await database.query('select status, held_until from actions')).toEqual([
      { status: 'SUCCEEDED', held_until: null },
    ]);
  });

  it('leaves no table without row-level security', async () => {
    const database = await useTestDatabase();
    const open = await database.query(
      `select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace and not relrowsecurity and relname <> 'migrations'`,
    );
    expect(open).toEqual([]);
    expect(
      await database.query(`select count(*)::int as n from pg_class where relkind = 'r' and relrowsecurity`),
    ).toEqual([{ n: TABLES.length }]);
  });
});
