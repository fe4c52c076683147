import { Migration } from '@mikro-orm/migrations';

/**
 * The receipts' log: one Merkle tree a tenant, its checkpoints, and the deployment's keys that sign them. The app's
 * role reads its tenant's rows and writes none: what goes into a log goes through the doors below.
 */
export class ReceiptLog extends Migration {
  override name = 'receipt-log';

  override up(): void {
    // Receipts from before there was a log have no leaf and are in none; every one from now on has.
    this.addSql(`
      alter table receipts
        add trace_id text,
        add leaf text,
        add salt bytea,
        add constraint receipts_leaf check (leaf is not null) not valid;
      create table receipt_queue (
        tenant_id text not null,
        receipt_id uuid not null,
        primary key (tenant_id, receipt_id)
      );
      -- How many leaves a tenant's tree has, and how many of them the newest checkpoint covers.
      create table receipt_logs (
        tenant_id text primary key,
        size bigint not null default 0,
        signed bigint not null default 0,
        sequenced_at timestamptz(3)
      );
      create index receipt_logs_unsigned on receipt_logs (tenant_id) where signed < size;
      create table receipt_leaves (
        tenant_id text not null,
        leaf_index bigint not null,
        receipt_id uuid not null unique,
        hash bytea not null check (length(hash) = 32),
        sequenced_at timestamptz(3) not null,
        primary key (tenant_id, leaf_index)
      );
      create index receipt_leaves_sequenced on receipt_leaves (tenant_id, sequenced_at, leaf_index);
      -- Complete subtrees above the leaves. None ever changes, and the key keeps two processes from writing two.
      create table receipt_nodes (
        tenant_id text not null,
        level smallint not null check (level > 0),
        index bigint not null,
        hash bytea not null check (length(hash) = 32),
        primary key (tenant_id, level, index)
      );
      create sequence receipt_checkpoint_sequence as bigint;
      create table receipt_checkpoints (
        sequence bigint primary key,
        tenant_id text not null,
        size bigint not null check (size > 0),
        root bytea not null check (length(root) = 32),
        note text not null,
        created_at timestamptz(3) not null,
        unique (tenant_id, size)
      );
      create index receipt_checkpoints_tenant on receipt_checkpoints (tenant_id, sequence);
      -- Of the deployment, which is a tenant of its own here: see src/receipt/signing-key.ts.
      create table checkpoint_keys (
        id uuid primary key,
        tenant_id text not null,
        version integer not null check (version > 0),
        public_key bytea not null check (length(public_key) = 32),
        -- Deleted when the next key replaces it.
        sealed_seed bytea,
        created_at timestamptz(3) not null,
        retired_at timestamptz(3),
        unique (tenant_id, version)
      );
    `);
    for (const table of tables) {
      this.addSql(`
        alter table ${table} enable row level security;
        create policy tenant on ${table} to tributary_app
          using (tenant_id = current_setting('tributary.tenant', true))
          with check (tenant_id = current_setting('tributary.tenant', true));
        grant select on ${table} to tributary_app;
      `);
    }
    this.addSql(`
      grant insert on checkpoint_keys to tributary_app;
      grant update (sealed_seed, retired_at) on checkpoint_keys to tributary_app;
    `);
    this.addSql(queue);
    this.addSql(appendLeaves);
    this.addSql(addCheckpoint);
    this.addSql(doors);
  }
}

const tables = [
  'receipt_queue',
  'receipt_logs',
  'receipt_leaves',
  'receipt_nodes',
  'receipt_checkpoints',
  'checkpoint_keys',
];

/** Whoever writes a receipt waits for nobody: it gets its place later. */
const queue = `
  create function receipt_enqueue() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
  begin
    insert into receipt_queue (tenant_id, receipt_id) select added.tenant_id, added.id from added;
    return null;
  end $$;
  revoke all on function receipt_enqueue from public;
  create trigger enqueued after insert on receipts referencing new table as added
    for each statement execute function receipt_enqueue();
`;

/**
 * Gives a tenant's receipts their places behind a tree of 'in_size' leaves, in the order given. Answers false, and does
 * nothing, when the tree is not of that size any more: another process was first, or this one froze on its way. The
 * caller computes the subtrees; what a leaf's hash is, the receipt itself says.
 */
const appendLeaves = `
  create function receipt_log_append(in_tenant text, in_size bigint, in_ids uuid[], in_levels smallint[],
                                     in_indices bigint[], in_hashes bytea, in_now timestamptz) returns boolean
  language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off as $$
  declare
    log receipt_logs;
    counted integer;
  begin
    insert into receipt_logs (tenant_id) values (in_tenant) on conflict do nothing;
    select * into log from receipt_logs l where l.tenant_id = in_tenant for update;
    if log.size <> in_size then
      return false;
    end if;

    with taken as (
      delete from receipt_queue q where q.tenant_id = in_tenant and q.receipt_id = any(in_ids) returning q.receipt_id)
    insert into receipt_leaves (tenant_id, leaf_index, receipt_id, hash, sequenced_at)
      select in_tenant, in_size + given.place - 1, r.id, sha256('\\x00'::bytea || convert_to(r.leaf, 'UTF8')),
             greatest(in_now, log.sequenced_at)
      from unnest(in_ids) with ordinality as given(id, place)
      join taken on taken.receipt_id = given.id
      join receipts r on r.id = given.id and r.tenant_id = in_tenant;
    get diagnostics counted = row_count;
    if counted <> cardinality(in_ids) then
      raise exception 'of % receipts % wait to be sequenced', cardinality(in_ids), counted;
    end if;

    insert into receipt_nodes (tenant_id, level, index, hash)
      select in_tenant, node.level, node.index, substring(in_hashes from ((node.place - 1) * 32 + 1)::integer for 32)
      from unnest(in_levels, in_indices) with ordinality as node(level, index, place);
    update receipt_logs l set size = in_size + counted, sequenced_at = greatest(in_now, log.sequenced_at)
      where l.tenant_id = in_tenant;
    return true;
  end $$;
  revoke all on function receipt_log_append from public;
  grant execute on function receipt_log_append to tributary_app;
`;

/**
 * Publishes a checkpoint. Answers false, and does nothing, where there is one of that size or a later one, and where the
 * key that signed it was replaced meanwhile. The lock makes the order of 'sequence' the order of commits, for whoever
 * follows. What a crash of the database takes of it is signed again, so nobody waits for the disk under that lock.
 */
const addCheckpoint = `
  create function receipt_checkpoint_add(in_tenant text, in_size bigint, in_root bytea, in_note text, in_key uuid,
                                         in_now timestamptz) returns boolean
  language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off as $$
  begin
    perform set_config('synchronous_commit', 'off', true);
    perform pg_advisory_xact_lock(7236004);
    update receipt_logs l set signed = in_size
      where l.tenant_id = in_tenant and l.signed < in_size and l.size >= in_size
        and exists (select from checkpoint_keys k where k.id = in_key and k.retired_at is null);
    if not found then
      return false;
    end if;
    insert into receipt_checkpoints (sequence, tenant_id, size, root, note, created_at)
      values (nextval('receipt_checkpoint_sequence'), in_tenant, in_size, in_root, in_note, in_now);
    perform pg_notify('tributary_checkpoints', '');
    return true;
  end $$;
  revoke all on function receipt_checkpoint_add from public;
  grant execute on function receipt_checkpoint_add to tributary_app;
`;

/** For the sequencer, which works for all tenants, and for the tail, which reads once for all with subscribers. */
const doors = `
  -- Tenants with receipts to sequence, or a tree to sign for; from one to the next without a look at each of their rows.
  create function receipts_waiting(in_after text, in_limit integer) returns setof text
  language sql stable security definer set search_path = public, pg_temp as $$
    with recursive queued(tenant_id) as (
      (select q.tenant_id from receipt_queue q where q.tenant_id > in_after order by q.tenant_id limit 1)
      union all
      select (select q.tenant_id from receipt_queue q where q.tenant_id > before.tenant_id order by q.tenant_id limit 1)
      from queued before where before.tenant_id is not null)
    select waiting.tenant_id from (
      (select tenant_id from queued where tenant_id is not null limit in_limit)
      union
      (select l.tenant_id from receipt_logs l where l.signed < l.size and l.tenant_id > in_after
       order by l.tenant_id limit in_limit)) waiting
    order by waiting.tenant_id limit in_limit
  $$;

  -- In the order of their ids, which is about that of time; those of transactions that are still open come later.
  create function receipt_log_next(in_tenant text, in_limit integer) returns table (id uuid, leaf text)
  language sql stable security definer set search_path = public, pg_temp as $$
    select r.id, r.leaf from receipt_queue q join receipts r on r.id = q.receipt_id
    where q.tenant_id = in_tenant order by q.receipt_id limit in_limit
  $$;

  -- What a tenant's tree ends in: a complete subtree for each bit of its size, from left to right. No rows: no tree yet.
  create function receipt_log_edge(in_tenant text)
  returns table (size bigint, signed bigint, origin text, level integer, index bigint, hash bytea)
  language sql stable security definer set search_path = public, pg_temp as $$
    select log.size, log.signed,
           (select split_part(c.note, E'\\n', 1) from receipt_checkpoints c where c.tenant_id = in_tenant
            order by c.sequence desc limit 1),
           bit.level, (log.size >> bit.level) - 1,
           coalesce((select leaf.hash from receipt_leaves leaf where bit.level = 0
                     and leaf.tenant_id = in_tenant and leaf.leaf_index = log.size - 1),
                    (select node.hash from receipt_nodes node where node.tenant_id = in_tenant
                     and node.level = bit.level and node.index = (log.size >> bit.level) - 1))
    from receipt_logs log, generate_series(0, 52) as bit(level)
    where log.tenant_id = in_tenant and (log.size >> bit.level) & 1 = 1
    order by bit.level desc
  $$;

  create function receipt_checkpoints_edge() returns bigint
  language sql stable security definer set search_path = public, pg_temp as $$
    select coalesce(max(sequence), 0) from receipt_checkpoints
  $$;

  create function receipt_checkpoints_read(in_after bigint, in_tenants text[], in_limit integer)
  returns setof receipt_checkpoints
  language sql stable security definer set search_path = public, pg_temp as $$
    select * from receipt_checkpoints
    where sequence > in_after and tenant_id = any(in_tenants) order by sequence limit in_limit
  $$;

  revoke all on function receipts_waiting, receipt_log_next, receipt_log_edge, receipt_checkpoints_edge,
    receipt_checkpoints_read from public;
  grant execute on function receipts_waiting, receipt_log_next, receipt_log_edge, receipt_checkpoints_edge,
    receipt_checkpoints_read to tributary_app;
`;
