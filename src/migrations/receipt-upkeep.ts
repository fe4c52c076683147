import { Migration } from '@mikro-orm/migrations';

/** Bodies of receipts that go when their time is over, and receipts for the uses of secrets. */
export class ReceiptUpkeep extends Migration {
  override name = 'receipt-upkeep';

  override up(): void {
    this.addSql(`
      alter table receipts
        -- When actor, request and result were deleted, and the salt with them.
        add body_deleted_at timestamptz(3),
        alter actor drop not null,
        alter request drop not null,
        alter result drop not null;
      -- So many from the first on have lost their bodies.
      alter table receipt_logs add bodies_deleted bigint not null default 0;
      -- The receipt that attests to it; null until there is one.
      alter table secret_accesses add receipt_id uuid;
      create index secret_accesses_unattested on secret_accesses (tenant_id, id) where receipt_id is null;
    `);
    this.addSql(retention);
    this.addSql(accesses);
  }
}

/** Bodies go in the order of the log, so that how far it has come is one number. Leaves and hashes stay. */
const retention = `
  -- Tenants with bodies older than their plan keeps them. A plan that is not in 'in_days' keeps them for ever.
  create function receipt_bodies_due(in_days jsonb, in_default_days integer, in_now timestamptz, in_limit integer)
  returns table (tenant_id text, before timestamptz)
  language sql stable security definer set search_path = public, pg_temp as $$
    select log.tenant_id, kept.until
    from receipt_logs log
    left join tenant_plans p on p.tenant_id = log.tenant_id
    cross join lateral (
      select in_now - make_interval(days => case when p.plan is null then in_default_days
                                                 else (in_days ->> p.plan)::integer end)) as kept(until)
    where (select l.sequenced_at from receipt_leaves l
           where l.tenant_id = log.tenant_id and l.leaf_index = log.bodies_deleted) < kept.until
    limit in_limit
  $$;

  -- Of the transaction's tenant. What attests to deletions stays: it says nothing of anybody, and would go round for ever.
  create function receipt_bodies_delete(in_before timestamptz, in_now timestamptz, in_limit integer)
  returns table (from_index bigint, to_index bigint, deleted bigint)
  language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off as $$
  declare
    log receipt_logs;
    until bigint;
  begin
    select * into log from receipt_logs l
      where l.tenant_id = current_setting('tributary.tenant', true) for update;
    select coalesce(max(l.leaf_index) + 1, log.bodies_deleted) into until from receipt_leaves l
      where l.tenant_id = log.tenant_id and l.leaf_index >= log.bodies_deleted
        and l.leaf_index < log.bodies_deleted + in_limit and l.sequenced_at < in_before;
    with gone as (
      update receipts r
        set actor = null, request = null, result = null, salt = null, body_deleted_at = in_now
        from receipt_leaves l
        where l.tenant_id = log.tenant_id and l.leaf_index >= log.bodies_deleted and l.leaf_index < until
          and r.id = l.receipt_id and r.operation <> 'integration.receipt.tributary.delete_bodies'
        returning r.id)
    select count(*) from gone into deleted;
    update receipt_logs l set bodies_deleted = until where l.tenant_id = log.tenant_id;
    from_index := log.bodies_deleted;
    to_index := until;
    return next;
  end $$;

  revoke all on function receipt_bodies_due, receipt_bodies_delete from public;
  grant execute on function receipt_bodies_due, receipt_bodies_delete to tributary_app;
`;

/** Uses of secrets are attested to together, some while after: see docs/decisions/attested-accesses.md. */
const accesses = `
  create function secret_accesses_unattested(in_limit integer) returns table (tenant_id text)
  language sql stable security definer set search_path = public, pg_temp as $$
    select distinct a.tenant_id from secret_accesses a where a.receipt_id is null limit in_limit
  $$;

  -- Of the transaction's tenant: the oldest that no receipt attests to, from now on attested to by this one.
  create function secret_accesses_attest(in_receipt uuid, in_limit integer) returns setof secret_accesses
  language sql volatile security definer set search_path = public, pg_temp as $$
    update secret_accesses a set receipt_id = in_receipt
    where a.id in (
      select waiting.id from secret_accesses waiting
      where waiting.tenant_id = current_setting('tributary.tenant', true) and waiting.receipt_id is null
      order by waiting.id limit in_limit for update skip locked)
    returning a.*
  $$;

  revoke all on function secret_accesses_unattested, secret_accesses_attest from public;
  grant execute on function secret_accesses_unattested, secret_accesses_attest to tributary_app;
`;
