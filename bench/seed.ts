import { Client } from 'pg';

/** What a database is filled with. */
export interface Seed {
  readonly count: number;
  /**
   * Small: as after DELIVERY_RETENTION_DAYS, without bodies, and with 100 bytes of content instead of as much as the
   * sample has. So that ten millions fit on a disk.
   */
  readonly isSmall: boolean;
}

/** Share of the signals that are a hundred days old: the first ones, as in a feed that has run for long. */
const OLD = 0.8;

/**
 * Puts `count` deliveries with a signal each behind what is there, as copies of the newest: half of the same connection,
 * the others of nine tenants more. What is there grows old. Indexes are built afterwards, which is far quicker and leaves them as full as a
 * REINDEX does.
 */
export async function seedSignals(url: string, { count, isSmall }: Seed): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`set synchronous_commit = off; set maintenance_work_mem = '1GB'`);
    const indexes = await dropIndexes(client);
    await client.query(SAMPLE);
    // What came first is the oldest.
    await client.query(`update signals set ingested_at = ingested_at - interval '101 days'`);
    await client.query(DELIVERIES, [count, isSmall, OLD]);
    await client.query(SIGNALS, [count, isSmall, OLD]);
    await client.query(`select setval('signal_sequence', (select max(sequence) from signals))`);
    for (const statement of indexes) await client.query(statement);
    await client.query('vacuum (analyze) deliveries');
    await client.query('vacuum (analyze) signals');
    await client.query('checkpoint');
  } finally {
    await client.end();
  }
}

/** Answers what makes them again. */
async function dropIndexes(client: Client): Promise<string[]> {
  const { rows: constraints } = await client.query<{ place: string; name: string; text: string }>(
    `select conrelid::regclass::text as place, conname as name, pg_get_constraintdef(oid) as text from pg_constraint
     where conrelid in ('signals'::regclass, 'deliveries'::regclass) and contype in ('p', 'u')`,
  );
  for (const { place, name } of constraints)
    await client.query(`alter table ${place} drop constraint ${name}`);
  const { rows: indexes } = await client.query<{ name: string; text: string }>(
    `select indexname as name, indexdef as text from pg_indexes where tablename in ('signals', 'deliveries')`,
  );
  for (const { name } of indexes) await client.query(`drop index ${name}`);
  return [
    ...constraints.map(({ place, name, text }) => `alter table ${place} add constraint ${name} ${text}`),
    ...indexes.map(({ text }) => text),
  ];
}

const SAMPLE = `
  create temp table sample as
    select s.*, '{"resource": {}, "payload": {"title": "small"}, "evidence": [], "correlation_hints": []}'::jsonb as small,
           d.body, d.event_type, d.content_type, (select max(sequence) from signals) as newest
    from signals s join deliveries d on d.id = s.delivery_id order by s.sequence desc limit 1`;

/** Ids in the order of time, as a UUIDv7 has it, and before any of now. */
const ID = `('01800000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid`;
const TENANT = `case when n % 2 = 0 then sample.tenant_id else 'tenant-' || n % 9 end`;
const CONNECTION = `case when n % 2 = 0 then sample.connection_id else md5('connection-' || n % 9)::uuid end`;
const CAME = `now() - case when n <= $1 * $3::float then interval '100 days' else interval '1 day' end`;

const DELIVERIES = `
  insert into deliveries (id, tenant_id, connection_id, provider_id, event_id, event_type, content_type, received_at, body,
                          purged_at, signal_ids)
  select ${ID}, ${TENANT}, ${CONNECTION}, provider_id, gen_random_uuid()::text, event_type, content_type, ${CAME},
         case when $2 then null else body end, case when $2 then now() end, array[${ID}]
  from sample, generate_series(1, $1::bigint) as n`;

const SIGNALS = `
  insert into signals (sequence, id, tenant_id, connection_id, provider_id, delivery_id, environment, kind, type,
                       occurred_at, ingested_at, correlation_id, repository, schema_version, content)
  select newest + n, gen_random_uuid(), ${TENANT}, ${CONNECTION}, provider_id, ${ID}, environment, kind, type, ${CAME},
         ${CAME}, correlation_id, repository, schema_version,
         case when $2 then small else content end
  from sample, generate_series(1, $1::bigint) as n`;
