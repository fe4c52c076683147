import { Migration } from '@mikro-orm/migrations';

/** Whom checkpoints are shown to, so that a log that is rolled back is found out. */
export class ReceiptWitnesses extends Migration {
  override name = 'receipt-witnesses';

  override up(): void {
    this.addSql(`
      -- Where a tenant has its log's checkpoints sent. The operator's witness is in the configuration.
      create table receipt_witnesses (
        id uuid primary key,
        tenant_id text not null unique,
        url text not null,
        sealed_secret bytea not null,
        updated_at timestamptz(3) not null
      );
      -- What each witness of a log was told. Outlives the tenant, as the log does.
      create table receipt_anchors (
        tenant_id text not null,
        witness text not null check (witness in ('TENANT', 'OPERATOR')),
        -- Of the log's newest checkpoint.
        size bigint not null,
        -- Of the last one that the witness took.
        taken_size bigint,
        taken_at timestamptz(3),
        -- Null: the witness has the newest one.
        due_at timestamptz(3),
        lease_until timestamptz(3),
        -- Begins anywhere: a row that is made anew must not be taken for the one before.
        fence bigint not null default floor(random() * 1e12),
        attempts integer not null default 0,
        problem text,
        conflict text,
        conflict_at timestamptz(3),
        primary key (tenant_id, witness)
      );
      create index receipt_anchors_due on receipt_anchors (witness, due_at) where due_at is not null;
    `);
    for (const table of ['receipt_witnesses', 'receipt_anchors']) {
      this.addSql(`
        alter table ${table} enable row level security;
        create policy tenant on ${table} to tributary_app
          using (tenant_id = current_setting('tributary.tenant', true))
          with check (tenant_id = current_setting('tributary.tenant', true));
        grant select, insert, update, delete on ${table} to tributary_app;
      `);
    }
    this.addSql(due);
    this.addSql(door);
  }
}

/**
 * A new checkpoint is due in its own transaction. The operator's witness always has a row: where none is configured
 * nobody claims it, and one that is configured later is told at once. Locking the row each time keeps a delivery that
 * ends at this moment from missing it.
 */
const due = `
  create function receipt_anchors_due() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
  begin
    insert into receipt_anchors as known (tenant_id, witness, size, due_at)
      select new.tenant_id, of.witness, new.size, new.created_at
      from (select 'OPERATOR' union all
            select 'TENANT' from receipt_witnesses w where w.tenant_id = new.tenant_id) as of(witness)
    on conflict (tenant_id, witness) do update
      -- A busy log is shown every ten seconds, not every time.
      set size = excluded.size,
          due_at = coalesce(known.due_at, greatest(excluded.due_at, known.taken_at + interval '10 seconds'));
    return null;
  end $$;
  revoke all on function receipt_anchors_due from public;
  create trigger anchored after insert on receipt_checkpoints for each row execute function receipt_anchors_due();
`;

/** Across tenants, as all that is due is. */
const door = `
  create function receipt_anchors_claim(in_witnesses text[], in_now timestamptz, in_limit integer,
                                        in_lease_seconds integer)
  returns table (tenant_id text, witness text, taken_size bigint, attempts integer, fence bigint)
  language sql volatile security definer set search_path = public, pg_temp as $$
    update receipt_anchors a set lease_until = in_now + make_interval(secs => in_lease_seconds),
                                 fence = a.fence + 1, attempts = a.attempts + 1
    where (a.tenant_id, a.witness) in (
      select due.tenant_id, due.witness from receipt_anchors due
      where due.witness = any(in_witnesses) and due.due_at <= in_now
        and (due.lease_until is null or due.lease_until <= in_now)
      order by due.due_at limit in_limit for update skip locked)
    returning a.tenant_id, a.witness, a.taken_size, a.attempts, a.fence
  $$;
  revoke all on function receipt_anchors_claim from public;
  grant execute on function receipt_anchors_claim to tributary_app;
`;
