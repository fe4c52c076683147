import type { TestDatabase } from './database.js';

/** A tenant with nearly all rows, and one with a tenth of them. */
export const BIG = 'big';
const SMALL = 'small';
/** A fifth of a million where nobody asks for more: plans are the same, and it takes seconds. */
export const ROWS = Number(process.env['LIST_ROWS'] ?? 200_000);
/** There are fewer of these, anywhere. */
const FEWER: Readonly<Record<string, number>> = {
  connections: ROWS / 10,
  incidents: ROWS / 4,
  secret_accesses: ROWS / 4,
  health_changes: ROWS / 4,
};

/** The n-th row's id, in the order of n as UUIDv7 are in that of time. */
export function idOf(n: number): string {
  return `${n.toString(16).padStart(8, '0')}-0000-7000-8000-000000000000`;
}

/** Rows come ten seconds apart. */
export function timeOf(n: number): string {
  return new Date(Date.UTC(2026, 0, 1) + n * 10_000).toISOString();
}

/** What the tables’ rows have in common, worked out once for all of them. */
const SEED = `
  create unlogged table seed as
    select n,
           (lpad(to_hex(n), 8, '0') || '-0000-7000-8000-000000000000')::uuid as id,
           case when n % 10 = 0 then '${SMALL}' else '${BIG}' end as tenant_id,
           -- Twenty in turns; connection 1 has rows at the beginning only, as one that was given up long ago.
           (lpad(to_hex(case when n < ${ROWS / 20} and n % 10 > 0 then 1 else 2 + n % 20 end), 8, '0')
             || '-0000-7000-8000-000000000000')::uuid as connection_id,
           case when n % 2 = 0 then 'github' else 'slack' end as provider_id,
           timestamptz '2026-01-01Z' + n * interval '10 s' as moment,
           -- One in a thousand, and only among the oldest half: what a plan that hopes for the best walks long for.
           n % 1000 = 1 and n < ${ROWS / 2} as is_rare,
           'c' || n as name
    from generate_series(1, ${ROWS}) n;`;

const rarely = (rare: string, common: string) => `case when is_rare then '${rare}' else '${common}' end`;
const row = { tenant_id: 'tenant_id', connection_id: 'connection_id' };
const ofProvider = { ...row, provider_id: 'provider_id' };

/** What each table is filled with, for the n-th row. Columns that no list reads hold as little as they may. */
const tables: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  connections: {
    id: 'id',
    tenant_id: 'tenant_id',
    provider_id: 'provider_id',
    name: 'name',
    status: rarely('ERROR', 'ACTIVE'),
    auth_method: `'API_TOKEN'`,
    capabilities: `'{}'`,
    settings: `'{}'`,
    tags: `array[${rarely('rare', 'common')}]`,
    created_at: 'moment',
    updated_at: 'moment',
  },
  signals: {
    sequence: 'n',
    id: 'id',
    ...ofProvider,
    delivery_id: 'id',
    environment: `'dev'`,
    kind: `'event'`,
    type: rarely('pr_merged', 'push'),
    occurred_at: 'moment',
    ingested_at: 'moment',
    correlation_id: 'name',
    repository: `'acme/' || n % 100`,
    schema_version: `'1.0.0'`,
    content: `'{"resource":{},"payload":{},"evidence":[],"correlation_hints":[]}'`,
  },
  actions: {
    id: 'id',
    ...ofProvider,
    verb: `'createIssue'`,
    sealed_input: `''`,
    input_hash: `''`,
    idempotency_key: 'name',
    correlation_id: 'name',
    actor: `'ada'`,
    status: rarely('FAILED', 'SUCCEEDED'),
    attempts: '1',
    created_at: 'moment',
  },
  deliveries: {
    id: 'id',
    ...ofProvider,
    event_id: 'name',
    event_type: `'push'`,
    content_type: `'application/json'`,
    received_at: 'moment',
    signal_ids: `'{}'`,
    // So many that dead ones are no small table either.
    failure: `case when n % 20 = 1 then 'no' end`,
  },
  receipts: {
    id: 'id',
    ...row,
    operation: rarely('integration.connection.github.verify', 'integration.action.github.create_issue'),
    outcome: rarely('FAILURE', 'SUCCESS'),
    correlation_id: 'name',
    occurred_at: 'moment',
    leaf: `''`,
  },
  provider_calls: {
    id: 'id',
    ...ofProvider,
    operation: `'listIssues'`,
    method: `'GET'`,
    endpoint: `'/issues'`,
    category: `nullif(${rarely('NETWORK', '')}, '')`,
    attempts: '1',
    duration_ms: '1',
    correlation_id: 'name',
    called_at: 'moment',
  },
  incidents: {
    id: 'id',
    ...ofProvider,
    scope: `'CONNECTION'`,
    kind: rarely('CIRCUIT_OPEN', 'LIMIT_EXHAUSTED'),
    message: `'trouble'`,
    opened_at: 'moment',
    resolved_at: 'moment',
  },
  secret_accesses: {
    id: 'id',
    ...row,
    field: `'credential'`,
    actor: `'ada'`,
    purpose: `'call'`,
    accessed_at: 'moment',
  },
  health_changes: {
    sequence: 'n',
    ...row,
    previous_status: `'HEALTHY'`,
    status: `'DEGRADED'`,
    occurred_at: 'moment',
  },
};

export const tableNames = Object.keys(tables);

/** Fills every table that is listed. Indexes and keys are made afterwards, as that takes a fraction of the time. */
export async function fill(database: TestDatabase): Promise<void> {
  await database.query(SEED);
  const statements = tableNames.map((table) => fillOne(table));
  // Two at a time: more would wait for one another.
  const halves = [0, 1].map((half) => statements.filter((_, n) => n % 2 === half));
  await Promise.all(halves.map((half) => inTurn(database, half)));
}

async function inTurn(database: TestDatabase, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await database.query(statement);
}

function fillOne(table: string): string {
  const columns = Object.entries(tables[table] ?? {});
  const rows = FEWER[table] ?? ROWS;
  return `
    set session_replication_role = replica;
    set maintenance_work_mem = '256MB';
    create temp table made as
      select 0 as turn, format('drop index %I', indexname) as undo, indexdef as redo from pg_indexes
      where tablename = '${table}' and indexname not in (select conname from pg_constraint)
      union all
      select 1, format('alter table ${table} drop constraint %I cascade', conname),
             format('alter table ${table} add constraint %I %s', conname, pg_get_constraintdef(oid))
      from pg_constraint where conrelid = '${table}'::regclass and contype in ('p', 'u');
    do $$ declare it record; begin for it in select * from made order by turn loop execute it.undo; end loop; end $$;
    insert into ${table} (${columns.map(([name]) => name).join(', ')})
      select ${columns.map(([, value]) => value).join(', ')} from seed where n <= ${rows};
    do $$ declare it record; begin for it in select * from made order by turn desc loop execute it.redo; end loop; end $$;
    drop table made;`;
}

const VACUUMS = 20;

/**
 * What autovacuum does elsewhere: statistics, and which pages hold nothing but rows that everybody may see. Whoever still
 * reads what was before keeps it from knowing the latter, hence again.
 */
export async function tidy(database: TestDatabase): Promise<void> {
  let waiting = tableNames;
  for (let n = 0; n < VACUUMS && waiting.length > 0; n += 1) {
    await database.query(`vacuum (analyze) ${waiting.join(', ')}`);
    const rows = await database.query<{ relname: string }>(
      `select relname from pg_class where relname = any($1) and relallvisible < relpages`,
      [tableNames],
    );
    waiting = rows.map(({ relname }) => relname);
  }
  if (waiting.length > 0) throw new Error(`Nobody could vacuum ${waiting.join(', ')}.`);
}
