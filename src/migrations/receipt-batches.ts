import { Migration } from '@mikro-orm/migrations';

/**
 * Lets a batch of receipts cost the same however many wait and however long the log is: what waits carries its leaf's
 * hash, so that nothing of the receipts is read again, and every plan goes by keys. Statistics would mislead it, as a
 * backlog comes faster than they do.
 */
export class ReceiptBatches extends Migration {
  override name = 'receipt-batches';

  override up(): void {
    this.addSql(queue);
    this.addSql(nextOf);
    this.addSql(appendLeaves);
  }
}

const queue = `
  alter table receipt_queue add hash bytea;
  update receipt_queue q set hash = sha256('\\x00'::bytea || convert_to(r.leaf, 'UTF8'))
    from receipts r where r.id = q.receipt_id;
  alter table receipt_queue alter hash set not null, add check (length(hash) = 32);

  create or replace function receipt_enqueue() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
  begin
    insert into receipt_queue (tenant_id, receipt_id, hash)
      select added.tenant_id, added.id, sha256('\\x00'::bytea || convert_to(added.leaf, 'UTF8')) from added;
    return null;
  end $$;
`;

/** From one batch to the next without a look at those that are gone: they stay in the index until it is vacuumed. */
const nextOf = `
  drop function receipt_log_next(text, integer);
  create function receipt_log_next(in_tenant text, in_after uuid, in_limit integer)
  returns table (id uuid, hash bytea)
  language sql stable security definer set search_path = public, pg_temp
  set enable_seqscan = off set enable_bitmapscan = off as $$
    select q.receipt_id, q.hash from receipt_queue q
    where q.tenant_id = in_tenant and q.receipt_id > in_after order by q.receipt_id limit in_limit
  $$;
  revoke all on function receipt_log_next from public;
  grant execute on function receipt_log_next to tributary_app;
`;

/**
 * As before, but that the queue has the hashes, and that each id is looked up by itself, in the order given: planned as a
 * join, all of them are held against all that wait. Nobody else takes from the queue while the tenant's row is locked.
 */
const appendLeaves = `
  create or replace function receipt_log_append(in_tenant text, in_size bigint, in_ids uuid[], in_levels smallint[],
                                                in_indices bigint[], in_hashes bytea, in_now timestamptz)
  returns boolean
  language plpgsql security definer set search_path = public, pg_temp
  set enable_seqscan = off set enable_bitmapscan = off as $$
  declare
    log receipt_logs;
    counted integer;
  begin
    insert into receipt_logs (tenant_id) values (in_tenant) on conflict do nothing;
    select * into log from receipt_logs l where l.tenant_id = in_tenant for update;
    if log.size <> in_size then
      return false;
    end if;

    with found as materialized (
      select waiting.at, waiting.receipt_id, waiting.hash, given.place
      from unnest(in_ids) with ordinality as given(id, place)
      cross join lateral (
        select q.ctid as at, q.receipt_id, q.hash from receipt_queue q
        where q.tenant_id = in_tenant and q.receipt_id = given.id limit 1) waiting),
    taken as (
      delete from receipt_queue q where q.ctid = any(array(select found.at from found)))
    insert into receipt_leaves (tenant_id, leaf_index, receipt_id, hash, sequenced_at)
      select in_tenant, in_size + found.place - 1, found.receipt_id, found.hash, greatest(in_now, log.sequenced_at)
      from found;
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
`;
