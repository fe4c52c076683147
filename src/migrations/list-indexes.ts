import { Migration } from '@mikro-orm/migrations';

/**
 * What lists are read by beside the order of their rows: test/list-indexes.test.ts holds every filter against a million
 * rows. Each ends in the list's order, so that a page is where its index is.
 */
export class ListIndexes extends Migration {
  override name = 'list-indexes';

  override up(): void {
    this.addSql(`
      create index actions_correlation on actions (tenant_id, correlation_id, id);
      -- Nearly all actions end there: whoever asks for these finds them without an index.
      create index actions_status on actions (tenant_id, status, id) where status <> 'SUCCEEDED';
      create index receipts_correlation on receipts (tenant_id, correlation_id, id);
      create index incidents_connection on incidents (connection_id, id) include (tenant_id);
      create index incidents_unresolved on incidents (tenant_id, id) where resolved_at is null;
      create index signals_correlation on signals (tenant_id, correlation_id, sequence);
      create index signals_type on signals (tenant_id, type, sequence);
      -- Hardly any: see signals_before.
      create index signals_ahead on signals (tenant_id, (occurred_at - ingested_at), sequence)
        include (occurred_at) where occurred_at - ingested_at > interval '1 day';
    `);
    this.addSql(signalsBefore);
  }
}

/**
 * The last sequence up to which no signal of the tenant occurred at this moment or later. Sequences are in the order of
 * arrival, but for the clocks of processes, which a day is more than enough for: so it is searched by halves. What is
 * dated further ahead of its arrival is looked at one by one, in an order that only its own index has.
 */
const signalsBefore = `
  create function signals_before(in_moment timestamptz) returns bigint
  language plpgsql stable set search_path = public, pg_temp as $$
  declare
    low bigint := 0;
    high bigint := coalesce((select sequence from signals order by sequence desc limit 1), 0);
    place bigint;
    ahead bigint[];
  begin
    while high - low > 1000 loop
      place := (select sequence from signals where sequence > low + (high - low) / 2 order by sequence limit 1);
      if (select coalesce(revised_at, ingested_at) from signals where sequence = place)
         < in_moment - interval '1 day' then
        low := place;
      else
        high := low + (high - low) / 2;
      end if;
    end loop;
    ahead := array(
      select case when occurred_at >= in_moment then sequence end from signals
      where occurred_at - ingested_at > interval '1 day'
      order by occurred_at - ingested_at, sequence limit 1001);
    if cardinality(ahead) > 1000 then return 0; end if;
    return least(low, (select min(one) - 1 from unnest(ahead) as one));
  end $$;
  revoke all on function signals_before from public;
  grant execute on function signals_before to tributary_app;
`;
