import { Migration } from '@mikro-orm/migrations';

/**
 * How each connection stands and since when, the history of that, and when it is looked at or probed again. Every
 * connection has its row from the start, so that one which is never called is looked after as well.
 */
export class Health extends Migration {
  override name = 'health';

  override up(): void {
    this.addSql(`
      alter table connection_health
        alter recent_errors set default '[]',
        add status text not null default 'UNKNOWN',
        add reason text,
        add since timestamptz(3) not null default now(),
        -- Since when it has been seen better than its status says.
        add calm_since timestamptz(3),
        -- What was last heard of its circuit.
        add is_circuit_open boolean not null default false,
        add circuit_at timestamptz(3),
        -- When a guard of ours last refused a call for want of room, or of budget.
        add limit_refused_at timestamptz(3),
        -- Of the newest signal, once that was deleted because its time was over.
        add newest_event_at timestamptz(3),
        -- When it is looked at again; who looked at it before may not write any more.
        add due_at timestamptz(3) not null default now(),
        add fence bigint not null default 0,
        add probe_due_at timestamptz(3) not null default now();
      insert into connection_health (connection_id, tenant_id, probe_due_at)
        select id, tenant_id, now() + random() * interval '10 minutes' from connections
        on conflict (connection_id) do nothing;
      create index connection_health_due on connection_health (due_at);
      create index connection_health_probe_due on connection_health (probe_due_at);
      grant update (status, reason, since, calm_since) on connection_health to tributary_app;

      create sequence health_change_sequence as bigint;
      -- No foreign key: its check would wait for whoever changes the connection, while all health waits for us.
      create table health_changes (
        sequence bigint primary key,
        tenant_id text not null,
        connection_id uuid not null,
        previous_status text not null,
        status text not null,
        reason text,
        occurred_at timestamptz(3) not null
      );
      create index health_changes_tenant on health_changes (tenant_id, sequence);
      create index health_changes_connection on health_changes (connection_id, sequence) include (tenant_id);
      alter table health_changes enable row level security;
      create policy tenant on health_changes to tributary_app
        using (tenant_id = current_setting('tributary.tenant', true))
        with check (tenant_id = current_setting('tributary.tenant', true));
      grant select, insert on health_changes to tributary_app;
    `);
    for (const sql of [followConnections, record, facts, claims, numberChange, doors]) this.addSql(sql);
  }
}

/** A connection brings its row along; what becomes of its status is looked at soon. */
const followConnections = `
  create function health_begin() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
  begin
    insert into connection_health (connection_id, tenant_id, probe_due_at)
      values (new.id, new.tenant_id, now() + random() * interval '10 minutes') on conflict (connection_id) do nothing;
    return null;
  end $$;
  create trigger health_begin after insert on connections for each row execute function health_begin();

  create function health_follow() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
  begin
    update connection_health set due_at = least(due_at, now()) where connection_id = new.id;
    return null;
  end $$;
  create trigger health_follow after update of status on connections
    for each row when (old.status is distinct from new.status) execute function health_follow();

  revoke all on function health_begin, health_follow from public;
`;

/**
 * As it was, and: the newest errors stay whichever process saw them; the newest word about a circuit counts; what
 * may change a status has the connection looked at soon; and whoever was just called needs no probe for a while.
 */
const record = `
  create or replace function health_record(in_minutes jsonb, in_states jsonb) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
  begin
    insert into health_minutes as known (connection_id, minute, tenant_id, requests, errors, latencies)
      select m.connection_id, m.minute, m.tenant_id, m.requests, m.errors, m.latencies
      from jsonb_to_recordset(in_minutes) as m(
        connection_id uuid, minute timestamptz, tenant_id text, requests integer, errors integer, latencies integer[])
      order by m.connection_id, m.minute
      on conflict (connection_id, minute) do update set
        requests = known.requests + excluded.requests,
        errors = known.errors + excluded.errors,
        latencies = array(select a + b from unnest(known.latencies, excluded.latencies)
                          with ordinality as pair(a, b, place) order by place);
    insert into connection_health as known (connection_id, tenant_id, last_success_at, last_failure_at, recent_errors,
                                            is_circuit_open, circuit_at, limit_refused_at, probe_due_at)
      select s.connection_id, s.tenant_id, s.last_success_at, s.last_failure_at, s.recent_errors,
             coalesce(s.is_circuit_open, false), s.circuit_at, s.limit_refused_at,
             coalesce(greatest(s.last_success_at, s.last_failure_at) + interval '10 minutes', now())
      from jsonb_to_recordset(in_states) as s(
        connection_id uuid, tenant_id text, last_success_at timestamptz, last_failure_at timestamptz,
        recent_errors jsonb, is_circuit_open boolean, circuit_at timestamptz, limit_refused_at timestamptz)
      order by s.connection_id
      on conflict (connection_id) do update set
        last_success_at = greatest(known.last_success_at, excluded.last_success_at),
        last_failure_at = greatest(known.last_failure_at, excluded.last_failure_at),
        recent_errors = (
          select coalesce(jsonb_agg(error order by error ->> 'at' desc), '[]')
          from (select error from jsonb_array_elements(excluded.recent_errors || known.recent_errors) as errors(error)
                order by error ->> 'at' desc limit 10) as newest),
        -- The newer word counts; but what is said to be that much newer was said before a clock was set back.
        is_circuit_open = case when excluded.circuit_at >= coalesce(known.circuit_at, '-infinity')
                                 or known.circuit_at > excluded.circuit_at + interval '30 minutes'
                               then excluded.is_circuit_open else known.is_circuit_open end,
        circuit_at = case when known.circuit_at > excluded.circuit_at + interval '30 minutes'
                          then excluded.circuit_at else greatest(known.circuit_at, excluded.circuit_at) end,
        limit_refused_at = greatest(known.limit_refused_at, excluded.limit_refused_at),
        due_at = case when known.status = 'UNKNOWN' or coalesce(excluded.last_failure_at, excluded.circuit_at,
                             excluded.limit_refused_at) is not null
                      then least(known.due_at, now()) else known.due_at end,
        probe_due_at = greatest(known.probe_due_at, excluded.probe_due_at);
    delete from health_minutes m using jsonb_to_recordset(in_states) as s(connection_id uuid)
      where m.connection_id = s.connection_id and m.minute < now() - interval '1 day';
  end $$;
`;

/**
 * All that is known of connections' last hour. It runs as whoever asks: a tenant sees its own, the door below all.
 * The lag is how late the newest signals came, at the median; what was older than a day when it came is history that
 * was fetched, and no news that was late.
 */
const facts = `
  create function health_facts(in_now timestamptz, in_connections uuid[]) returns table (
    connection_id uuid, tenant_id text, provider_id text, connection_status text, status_message text, status text,
    reason text, since timestamptz, calm_since timestamptz, fence bigint, requests integer, errors integer,
    requests_lately integer, errors_lately integer, latencies integer[], last_success_at timestamptz,
    last_failure_at timestamptz, recent_errors jsonb, newest_event_at timestamptz, lag_seconds double precision,
    circuit_opened_at timestamptz, limit_refused_at timestamptz, incidents jsonb, stuck_polls jsonb,
    ending_webhooks jsonb)
  language sql stable set search_path = public, pg_temp as $$
    select c.id, c.tenant_id, c.provider_id, c.status, c.status_reason ->> 'message', coalesce(h.status, 'UNKNOWN'),
           h.reason, coalesce(h.since, c.created_at), h.calm_since, coalesce(h.fence, 0), w.requests, w.errors,
           w.requests_lately, w.errors_lately, l.latencies, h.last_success_at, h.last_failure_at,
           coalesce(h.recent_errors, '[]'), coalesce(s.occurred_at, h.newest_event_at), g.seconds,
           case when h.is_circuit_open then h.circuit_at end, h.limit_refused_at, i.incidents, p.polls,
           e.webhooks
    from unnest(in_connections) as asked(id)
    join connections c on c.id = asked.id
    left join connection_health h on h.connection_id = c.id
    left join lateral (
      select coalesce(sum(m.requests), 0)::integer as requests, coalesce(sum(m.errors), 0)::integer as errors,
             coalesce(sum(m.requests) filter (where m.minute > in_now - interval '5 minutes'), 0)::integer
               as requests_lately,
             coalesce(sum(m.errors) filter (where m.minute > in_now - interval '5 minutes'), 0)::integer
               as errors_lately
      from health_minutes m
      where m.connection_id = c.id and m.minute > in_now - interval '1 hour' and m.minute <= in_now) w on true
    left join lateral (
      select array_agg(total order by place) as latencies
      from (select place, sum(latency)::integer as total
            from health_minutes m, unnest(m.latencies) with ordinality as latency(latency, place)
            where m.connection_id = c.id and m.minute > in_now - interval '1 hour' and m.minute <= in_now
            group by place) as bucket) l on true
    left join lateral (
      select n.occurred_at from signals n where n.connection_id = c.id order by n.sequence desc limit 1) s on true
    left join lateral (
      select percentile_cont(0.5) within group (order by extract(epoch from n.ingested_at - n.occurred_at)) as seconds
      from (select occurred_at, ingested_at from signals
            where signals.connection_id = c.id order by sequence desc limit 20) n
      where n.ingested_at > in_now - interval '1 hour' and n.occurred_at > n.ingested_at - interval '1 day'
      having count(*) >= 5) g on true
    left join lateral (
      select jsonb_agg(jsonb_build_object('id', n.id, 'kind', n.kind, 'quiet_since', n.quiet_since)) as incidents
      from incidents n where n.connection_id = c.id and n.resolved_at is null and n.budget_period is null) i on true
    left join lateral (
      select jsonb_agg(jsonb_build_object('title', d.title, 'failures', d.failures, 'message', d.failure ->> 'message')
                       order by d.name, d.mode) as polls
      from poll_streams d
      where d.connection_id = c.id and d.failures >= 3 and not d.is_resting
        and (d.due_at is not null or d.status = 'FAILED')) p on true
    left join lateral (
      select jsonb_agg(jsonb_build_object('ends_at', r.expires_at, 'failures', r.renewal_failures,
                                          'message', r.renewal_failure ->> 'message') order by r.expires_at) as webhooks
      from webhook_registrations r
      where r.connection_id = c.id and r.renewal_failures >= 3) e on true
  $$;
  revoke all on function health_facts from public;
  grant execute on function health_facts to tributary_app;
`;

/**
 * A claim sets at once when a connection is due again, so that what happens meanwhile can only make that earlier; a
 * process that dies over it leaves it to the next look. The fence keeps a slow one from writing what is outdated.
 */
const claims = `
  create function health_claim(in_now timestamptz, in_limit integer) returns table (facts jsonb)
  language plpgsql security definer set search_path = public, pg_temp as $$
  declare
    claimed uuid[];
  begin
    with due as (
      select h.connection_id from connection_health h where h.due_at <= in_now
      order by h.due_at limit in_limit for update skip locked),
    taken as (
      update connection_health h set fence = h.fence + 1, due_at =
        case when c.status = 'DELETED' then 'infinity'
             else in_now + interval '1 minute' * (0.9 + 0.1 * random()) end
      from due join connections c on c.id = due.connection_id
      where h.connection_id = due.connection_id
      returning h.connection_id)
    select array_agg(taken.connection_id) into claimed from taken;
    -- To plan the facts takes longer than to find that nothing is due, which is asked every second.
    if claimed is null then
      return;
    end if;
    return query select to_jsonb(f) from health_facts(in_now, claimed) f;
  end $$;

  -- Whoever is called by others is not due: each call moves it on.
  create function health_probe_claim(in_now timestamptz, in_limit integer)
  returns table (tenant_id text, connection_id uuid)
  language sql security definer set search_path = public, pg_temp as $$
    with due as (
      select h.connection_id from connection_health h where h.probe_due_at <= in_now
      order by h.probe_due_at limit in_limit for update skip locked),
    taken as (
      update connection_health h set probe_due_at =
        case when c.status = 'DELETED' then 'infinity' else in_now + interval '10 minutes' end
      from due join connections c on c.id = due.connection_id
      where h.connection_id = due.connection_id
      returning h.tenant_id, h.connection_id, c.status)
    select taken.tenant_id, taken.connection_id from taken where taken.status = 'ACTIVE'
  $$;

  revoke all on function health_claim, health_probe_claim from public;
  grant execute on function health_claim, health_probe_claim to tributary_app;
`;

/** As for the changes of connections: numbered in the order of commits, kept until the next is thirty days old. */
const numberChange = `
  create function health_change_number() returns trigger
  language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off as $$
  begin
    perform pg_advisory_xact_lock(7236003);
    new.sequence := nextval('health_change_sequence');
    with oldest as (
      select sequence, occurred_at from health_changes
      where tenant_id = new.tenant_id order by sequence limit 101)
    delete from health_changes where sequence in (
      select sequence from oldest
      where sequence < (select max(sequence) from oldest where occurred_at < now() - interval '30 days'));
    perform pg_notify('tributary_health', new.sequence::text);
    return new;
  end $$;
  revoke all on function health_change_number from public;
  create trigger numbered before insert on health_changes
    for each row execute function health_change_number();
`;

/** For the tail, which reads once for all tenants with subscribers. */
const doors = `
  create function health_changes_edge() returns bigint
  language sql stable security definer set search_path = public, pg_temp as $$
    select coalesce(max(sequence), 0) from health_changes
  $$;

  create function health_changes_read(in_after bigint, in_tenants text[], in_limit integer)
  returns setof health_changes
  language sql stable security definer set search_path = public, pg_temp as $$
    select * from health_changes
    where sequence > in_after and tenant_id = any(in_tenants) order by sequence limit in_limit
  $$;

  revoke all on function health_changes_edge, health_changes_read from public;
  grant execute on function health_changes_edge, health_changes_read to tributary_app;
`;
