import { Migration } from '@mikro-orm/migrations';

/** Signals that go when their time is over, and how far each feed of a tenant has lost its beginning. */
export class SignalRetention extends Migration {
  override name = 'signal-retention';

  override up(): void {
    this.addSql(`
      -- The highest number that was deleted from a feed of a tenant: who has seen less has lost something. Moved in the
      -- transaction that deletes.
      create table feed_horizons (
        tenant_id text not null,
        feed text not null check (feed in ('signals', 'changes', 'health')),
        sequence bigint not null,
        primary key (tenant_id, feed)
      );
      create index feed_horizons_edge on feed_horizons (feed, sequence);
      alter table feed_horizons enable row level security;
      create policy tenant on feed_horizons to tributary_app
        using (tenant_id = current_setting('tributary.tenant', true));
      grant select on feed_horizons to tributary_app;
      -- Days that signals are kept; null: as long as the plan says.
      alter table tenant_plans add signal_days integer check (signal_days >= 1);
    `);
    for (const sql of [horizons, signalsDue, signalsDelete]) this.addSql(sql);
    this.addSql(numberChange('connection_change', 7236002, 7, 'changes', 'tributary_connections'));
    this.addSql(numberChange('health_change', 7236003, 30, 'health', 'tributary_health'));
  }
}

/**
 * Crossing tenants, for the tail. A reader asks for its horizon after it has read, or in the same statement: what was
 * deleted before its rows were read has moved the horizon by then.
 */
const horizons = `
  create function feed_horizon(in_feed text, in_tenant text) returns bigint
  language sql stable security definer set search_path = public, pg_temp as $$
    select coalesce((select sequence from feed_horizons where tenant_id = in_tenant and feed = in_feed), 0)
  $$;

  create function feed_lost(in_feed text, in_after bigint, in_tenants text[]) returns boolean
  language sql stable security definer set search_path = public, pg_temp as $$
    select exists (
      select from feed_horizons where feed = in_feed and sequence > in_after and tenant_id = any(in_tenants))
  $$;

  -- As it was, and no lower when the newest of all is deleted.
  create or replace function feed_edge() returns bigint
  language sql stable security definer set search_path = public, pg_temp as $$
    select greatest((select max(sequence) from signals),
                    (select max(sequence) from feed_horizons where feed = 'signals'), 0)
  $$;

  revoke all on function feed_horizon, feed_lost from public;
  grant execute on function feed_horizon, feed_lost to tributary_app;
`;

/**
 * Tenants whose oldest signal is older than they keep them, the most overdue first. A plan that is not in 'in_days'
 * keeps them for ever. Two looks at the index of tenants and sequences for each tenant, and at no other, which is what
 * comparing both at once leads to; behind the horizon, as up to there deleted rows may still lie.
 */
const signalsDue = `
  create function signals_due(in_days jsonb, in_default_days integer, in_now timestamptz, in_limit integer)
  returns table (tenant_id text, before timestamptz)
  language sql stable security definer set search_path = public, pg_temp set enable_seqscan = off as $$
    with recursive tenants as (
      (select s.tenant_id from signals s order by s.tenant_id, s.sequence limit 1)
      union all
      select (select s.tenant_id from signals s where (s.tenant_id, s.sequence) > (t.tenant_id, 9223372036854775807)
              order by s.tenant_id, s.sequence limit 1)
      from tenants t where t.tenant_id is not null)
    select t.tenant_id, kept.until
    from tenants t
    left join tenant_plans p on p.tenant_id = t.tenant_id
    cross join lateral (
      select in_now - make_interval(days => case when p.plan is null then in_default_days
                                                 else coalesce(p.signal_days, (in_days ->> p.plan)::integer) end)
    ) as kept(until)
    cross join lateral (
      select s.tenant_id, coalesce(s.revised_at, s.ingested_at) from signals s
      where (s.tenant_id, s.sequence) > (t.tenant_id, feed_horizon('signals', t.tenant_id))
      order by s.tenant_id, s.sequence limit 1) as oldest(tenant_id, told_at)
    where oldest.tenant_id = t.tenant_id and oldest.told_at < kept.until
    order by kept.until - oldest.told_at desc
    limit in_limit
  $$;
  revoke all on function signals_due from public;
  grant execute on function signals_due to tributary_app;
`;

/**
 * Deletes a tenant's oldest signals in the order of the feed, up to the first that is still to be kept, and with them
 * the bodies of their deliveries, of which they could be made again. Answers how many signals there were.
 *
 * It waits for no row of signals or deliveries, since who replays locks those in another order: it ends before the first
 * signal that somebody holds, and leaves a body that somebody holds to deliveries_purge. A second call for the same
 * tenant finds its horizon locked, and does nothing.
 */
const signalsDelete = `
  create function signals_delete(in_tenant text, in_before timestamptz, in_now timestamptz, in_limit integer)
  returns integer
  language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off as $$
  declare
    horizon bigint;
    old bigint[];
    gone bigint[];
    came_by uuid[];
    from_where uuid[];
  begin
    insert into feed_horizons (tenant_id, feed, sequence) values (in_tenant, 'signals', 0) on conflict do nothing;
    select h.sequence into horizon from feed_horizons h
      where h.tenant_id = in_tenant and h.feed = 'signals' for update skip locked;
    if not found then return 0; end if;

    select coalesce(array_agg(s.sequence), '{}') into old from (
      select oldest.sequence, bool_and(oldest.told_at < in_before) over (order by oldest.sequence) as is_over
      from (select n.tenant_id, n.sequence, coalesce(n.revised_at, n.ingested_at) as told_at from signals n
            where (n.tenant_id, n.sequence) > (in_tenant, horizon)
            order by n.tenant_id, n.sequence limit in_limit) oldest
      where oldest.tenant_id = in_tenant) s
      where s.is_over;

    with held as materialized (
      select s.sequence from signals s where s.sequence = any(old) order by s.sequence for update skip locked),
    missing as (
      select min(o.sequence) as first from unnest(old) as o(sequence)
      where o.sequence not in (select held.sequence from held))
    select coalesce(array_agg(held.sequence order by held.sequence), '{}') into gone from held, missing
      where missing.first is null or held.sequence < missing.first;
    if cardinality(gone) = 0 then return 0; end if;

    select array_agg(distinct s.delivery_id), array_agg(distinct s.connection_id) into came_by, from_where
      from signals s where s.sequence = any(gone);
    with bodies as materialized (
      select d.id from deliveries d where d.id = any(came_by) and d.body is not null for update skip locked)
    update deliveries d set body = null, purged_at = in_now from bodies where d.id = bodies.id;
    -- How fresh a connection's news are is told of the newest that there was.
    with newest as materialized (
      select c.id as connection_id, n.sequence, n.occurred_at from unnest(from_where) as c(id)
      cross join lateral (select s.sequence, s.occurred_at from signals s where s.connection_id = c.id
                          order by s.sequence desc limit 1) n
      where n.sequence = any(gone) order by c.id)
    update connection_health h set newest_event_at = newest.occurred_at from newest
      where h.connection_id = newest.connection_id;
    delete from signals s where s.sequence = any(gone);
    update feed_horizons h set sequence = gone[cardinality(gone)]
      where h.tenant_id = in_tenant and h.feed = 'signals';
    return cardinality(gone);
  end $$;
  revoke all on function signals_delete from public;
  grant execute on function signals_delete to tributary_app;
`;

/** As it was, and what it deletes moves the horizon. */
function numberChange(change: string, lock: number, days: number, list: string, channel: string): string {
  return `
    create or replace function ${change}_number() returns trigger
    language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off as $$
    begin
      perform pg_advisory_xact_lock(${lock});
      new.sequence := nextval('${change}_sequence');
      with oldest as (
        select sequence, occurred_at from ${change}s
        where tenant_id = new.tenant_id order by sequence limit 101),
      gone as (
        delete from ${change}s where sequence in (
          select sequence from oldest
          where sequence < (select max(sequence) from oldest where occurred_at < now() - interval '${days} days'))
        returning sequence)
      insert into feed_horizons (tenant_id, feed, sequence)
        select new.tenant_id, '${list}', max(gone.sequence) from gone having count(*) > 0
        on conflict (tenant_id, feed) do update set sequence = excluded.sequence;
      perform pg_notify('${channel}', new.sequence::text);
      return new;
    end $$;
  `;
}
