import { Pool } from 'pg';
import { v7 as uuidV7 } from 'uuid';
import { manifest } from '../connectors/pagerduty/manifest.js';
import { poll } from '../connectors/pagerduty/poll.js';
import { systemClock } from '../src/core/clock.js';
import { openDb } from '../src/core/db.js';
import { createLog } from '../src/core/log.js';
import { createDataKeys } from '../src/credential/data-keys.js';
import { createLocalKeyProvider } from '../src/credential/key-provider/local.js';
import { type Vault, createVault } from '../src/credential/vault.js';
import { entities } from '../src/entities.js';
import { migrations } from '../src/migrations/index.js';
import { firstDue } from '../src/poll/pace.js';

/** Connections of one tenant. */
const EACH = 50;
const BATCH = 1_000;

export interface Seed {
  readonly url: string;
  readonly masterKey: Buffer;
  readonly connections: number;
  readonly intervalSeconds: number;
}

/**
 * Connections as `connect`, `verify` and `enroll` leave them, each with a sealed key of its own and one stream that is
 * first due when `firstDue` says; and a trigger that writes down, by the database's clock, when each poll began.
 */
export async function seedPolls({ url, masterKey, connections, intervalSeconds }: Seed): Promise<void> {
  const log = createLog('warn');
  const db = await openDb({ url, entities, migrations, log });
  const wrapper = createLocalKeyProvider({ masterKey });
  const keys = await createDataKeys({ db, clock: systemClock, log, wrapper });
  const pool = new Pool({ connectionString: url, max: 1 });
  try {
    const vault = createVault(keys);
    for (let start = 0; start < connections; start += BATCH) {
      const count = Math.min(BATCH, connections - start);
      const rows: object[] = [];
      // One after the other: each tenant's first makes its key.
      for (let n = start; n < start + count; n += 1) rows.push(await toRow(vault, n, intervalSeconds));
      await pool.query(INSERT, [JSON.stringify(rows), manifest.version, intervalSeconds]);
    }
    await pool.query(SETTLE);
    await pool.query(WATCH);
    await pool.query('vacuum analyze');
  } finally {
    await pool.end();
    await keys.close();
    await db.close();
  }
}

async function toRow(vault: Vault, n: number, intervalSeconds: number) {
  const [id, tenantId] = [uuidV7(), `tenant-${Math.floor(n / EACH)}`];
  const place = { tenantId, id, field: 'credential', version: 1 } as const;
  const sealed = await vault.seal(JSON.stringify({ apiKey: `key-${n}` }), place);
  const [{ name, title } = { name: '', title: '' }] = poll.streams({});
  const due = firstDue(`${id}/${name}`, intervalSeconds, systemClock.now());
  return { id, stream: uuidV7(), tenantId, n, sealed: sealed.toString('base64'), name, title, due };
}

const INSERT = `
  with given as materialized (
    select * from jsonb_to_recordset($1::jsonb) as g(
      id uuid, stream uuid, "tenantId" text, n integer, sealed text, name text, title text, due timestamptz)),
  connected as (
    insert into connections (id, tenant_id, provider_id, name, status, auth_method, capabilities, settings, tags,
                             created_at, updated_at, verified_at)
      select id, "tenantId", 'pagerduty', 'bench ' || n, 'ACTIVE', 'API_KEY', '{POLLING}', '{}', '{}', now(), now(), now()
      from given returning id, tenant_id, updated_at),
  authorized as (
    insert into credentials (connection_id, tenant_id, version, sealed, created_at)
      select id, "tenantId", 1, decode(sealed, 'base64'), now() from given),
  polled as (
    insert into pollings (connection_id, tenant_id, is_on, min_seconds, max_seconds, gaps, connector_version,
                          connection_updated_at)
      select id, tenant_id, true, $3, $3, 0, $2, updated_at from connected)
  insert into poll_streams (id, tenant_id, connection_id, name, mode, title, since, due_at, is_resting, interval_seconds,
                            failures, fence, found)
    select stream, "tenantId", id, name, 'LIVE', title, now(), due, false, $3, 0, 0, 0 from given`;

/** Looked at before, and healthy: else each connection's first poll would change what is known of its health. */
const SETTLE = `
  update connection_health set status = 'HEALTHY', last_success_at = now(), due_at = now() + random() * interval '1 minute'`;

const WATCH = `
  create unlogged table bench_polls (due_at timestamptz not null, began_at timestamptz not null);
  create function bench_poll_began() returns trigger language plpgsql security definer as $$
  begin
    insert into bench_polls values (old.due_at, clock_timestamp());
    return null;
  end $$;
  create trigger bench_poll_began after update on poll_streams
    for each row when (new.fence > old.fence) execute function bench_poll_began()`;
