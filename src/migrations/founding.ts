import { Migration } from '@mikro-orm/migrations';

/**
 * The tables, who may touch them, and the few doors through which one statement may cross tenants.
 *
 * Two roles: the one that runs this migration owns everything; `tributary_app`, which every request runs under, owns
 * nothing, sees only rows of the tenant set in its transaction (row-level security), and writes the journal only
 * through `journal_append`.
 */
export class Founding extends Migration {
  override name = 'founding';

  override up(): void {
    this.addSql(`
      create table connections (
        id uuid primary key,
        tenant_id text not null check (length(tenant_id) between 1 and 255),
        provider_id text not null,
        name text not null,
        description text,
        status text not null,
        status_reason jsonb,
        auth_method text not null,
        account jsonb,
        granted_scopes text[],
        capabilities text[] not null,
        settings jsonb not null,
        tags text[] not null,
        created_at timestamptz(3) not null,
        updated_at timestamptz(3) not null,
        verified_at timestamptz(3),
        unique (tenant_id, id)
      );
      create unique index connections_name on connections (tenant_id, provider_id, name) where status <> 'DELETED';
    `);
    // The tenant is part of every foreign key, so that no row can hang on another tenant's connection.
    this.addSql(`
      create table credentials (
        connection_id uuid primary key,
        tenant_id text not null,
        version integer not null,
        sealed bytea not null,
        created_at timestamptz(3) not null,
        expires_at timestamptz(3),
        foreign key (tenant_id, connection_id) references connections (tenant_id, id)
      );
      create table webhook_endpoints (
        connection_id uuid primary key,
        tenant_id text not null,
        provider_id text not null,
        token_hash bytea not null unique,
        sealed_token bytea not null,
        sealed_secret bytea not null,
        created_at timestamptz(3) not null,
        foreign key (tenant_id, connection_id) references connections (tenant_id, id)
      );
      create table actions (
        id uuid primary key,
        tenant_id text not null,
        connection_id uuid not null,
        provider_id text not null,
        verb text not null,
        sealed_input bytea not null,
        input_hash bytea not null,
        idempotency_key text not null check (length(idempotency_key) between 1 and 255),
        correlation_id text not null,
        traceparent text,
        actor text not null,
        status text not null,
        attempts integer not null,
        lease_owner uuid,
        -- When it is taken up next, by the clock of processes.
        lease_until timestamptz(3),
        -- Until then only the owner of its lease touches it. By the clock of the database, since those of processes
        -- differ and jump; LEASE_MS in src/action/settle.ts.
        held_until timestamptz default clock_timestamp() + interval '1 minute',
        began_at timestamptz default clock_timestamp(),
        result jsonb,
        failure jsonb,
        created_at timestamptz(3) not null,
        settled_at timestamptz(3),
        unique (tenant_id, idempotency_key),
        foreign key (tenant_id, connection_id) references connections (tenant_id, id)
      );
      create index actions_connection on actions (connection_id, id) include (tenant_id);
      create index actions_tenant on actions (tenant_id, id);
      create index actions_lease on actions (lease_until) where lease_until is not null;
      create table receipts (
        id uuid primary key,
        tenant_id text not null,
        connection_id uuid,
        provider_id text,
        action_id uuid unique,
        operation text not null,
        outcome text not null,
        actor text not null,
        correlation_id text,
        request jsonb not null,
        result jsonb not null,
        occurred_at timestamptz(3) not null,
        foreign key (tenant_id, connection_id) references connections (tenant_id, id)
      );
      create index receipts_tenant on receipts (tenant_id, id);
      create index receipts_connection on receipts (connection_id, id) include (tenant_id);
      create table connection_health (
        connection_id uuid primary key,
        tenant_id text not null,
        last_success_at timestamptz(3),
        last_failure_at timestamptz(3),
        recent_errors jsonb not null
      );
      create table health_minutes (
        connection_id uuid not null,
        minute timestamptz not null,
        tenant_id text not null,
        requests integer not null,
        errors integer not null,
        latencies integer[] not null,
        primary key (connection_id, minute)
      );
    `);
    // No foreign keys on the journal: a check per row would lock the connection's row on every webhook. What is
    // appended was found by the endpoint, and connections are marked as deleted, never removed.
    // Bodies arrive compressed and sealed: EXTERNAL keeps PostgreSQL from trying to compress them again.
    this.addSql(`
      create table deliveries (
        id uuid primary key,
        tenant_id text not null,
        connection_id uuid not null,
        provider_id text not null,
        event_id text not null,
        event_type text not null,
        api_version text,
        content_type text not null,
        received_at timestamptz(3) not null,
        body bytea not null,
        signal_ids uuid[] not null,
        failure text,
        -- How it came.
        via text not null default 'WEBHOOK' check (via in ('WEBHOOK', 'POLLING', 'ADAPTER')),
        unique (connection_id, event_id)
      );
      alter table deliveries alter column body set storage external;
      create sequence signal_sequence as bigint;
      create table signals (
        sequence bigint primary key,
        id uuid not null unique,
        tenant_id text not null,
        connection_id uuid not null,
        provider_id text not null,
        delivery_id uuid not null,
        environment text not null,
        kind text not null,
        type text not null,
        occurred_at timestamptz(3) not null,
        ingested_at timestamptz(3) not null,
        correlation_id text,
        trace_id text,
        span_id text,
        repository text,
        schema_version text not null,
        content jsonb not null
      );
      create index signals_tenant on signals (tenant_id, sequence);
      create index signals_connection on signals (connection_id, sequence) include (tenant_id);
    `);
    this.addSql(journalAppend);
    this.addSql(doors);
    for (const table of tenantTables) {
      this.addSql(`
        alter table ${table} enable row level security;
        create policy tenant on ${table} to tributary_app
          using (tenant_id = current_setting('tributary.tenant', true))
          with check (tenant_id = current_setting('tributary.tenant', true));
      `);
    }
    this.addSql(`
      grant select, insert, update on connections, credentials, webhook_endpoints, actions to tributary_app;
      grant delete on credentials, webhook_endpoints to tributary_app;
      grant select, insert on receipts to tributary_app;
      grant select on deliveries, signals, connection_health, health_minutes to tributary_app;
    `);
  }
}

const tenantTables = [
  'connections',
  'credentials',
  'webhook_endpoints',
  'actions',
  'receipts',
  'deliveries',
  'signals',
  'connection_health',
  'health_minutes',
];

/**
 * Appends deliveries with their signals: one call, one transaction, one flush. All bodies come as one byte string,
 * each delivery naming its part, because a driver sends one bytea as it is but an array of them as escaped text.
 *
 * The advisory lock makes the order of `sequence` the order of commits, over all processes: it is held until the
 * commit is visible, so a reader that has seen N has seen everything below N.
 *
 * Answers only deliveries that were there before, with the signals they made then. New ones are never read back, and
 * no plan may scan a table: a session keeps the plan it made when the tables were small.
 *
 * Without in_notifies the caller hints at what is new, once it is committed.
 */
const journalAppend = `
  create function journal_append(in_deliveries jsonb, in_signals jsonb, in_bodies bytea, in_notifies boolean)
  returns table (index integer, delivery_id uuid, signal_ids uuid[])
  language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off as $$
  declare
    arrivals integer;
    newest bigint;
  begin
    perform pg_advisory_xact_lock(7236001);
    with arrived as (
      insert into deliveries (id, tenant_id, connection_id, provider_id, event_id, event_type, api_version,
                              content_type, received_at, body, signal_ids, failure, via)
        select d.id, d.tenant_id, d.connection_id, d.provider_id, d.event_id, d.event_type, d.api_version,
               d.content_type, d.received_at, substring(in_bodies from d.body_start for d.body_length),
               d.signal_ids, d.failure, d.via
        from jsonb_to_recordset(in_deliveries) as d(
               index integer, id uuid, tenant_id text, connection_id uuid, provider_id text, event_id text,
               event_type text, api_version text, content_type text, received_at timestamptz, body_start integer,
               body_length integer, signal_ids uuid[], failure text, via text)
        order by d.index
        on conflict on constraint deliveries_connection_id_event_id_key do nothing
        returning deliveries.id),
    appended as (
      insert into signals (sequence, id, tenant_id, connection_id, provider_id, delivery_id, environment, kind, type,
                           occurred_at, ingested_at, correlation_id, trace_id, span_id, repository, schema_version,
                           content)
        select nextval('signal_sequence'), s.id, s.tenant_id, s.connection_id, s.provider_id, s.delivery_id,
               s.environment, s.kind, s.type, s.occurred_at, s.ingested_at, s.correlation_id, s.trace_id, s.span_id,
               s.repository, s.schema_version, s.content
        from (
          select s.*
          from jsonb_to_recordset(in_signals) as s(
                 index integer, id uuid, tenant_id text, connection_id uuid, provider_id text, delivery_id uuid,
                 environment text, kind text, type text, occurred_at timestamptz, ingested_at timestamptz,
                 correlation_id text, trace_id text, span_id text, repository text, schema_version text,
                 content jsonb)
          where s.delivery_id in (select arrived.id from arrived)
          order by s.index
        ) s
        on conflict (id) do nothing
        returning signals.sequence)
    select (select count(*) from arrived), (select max(appended.sequence) from appended) into arrivals, newest;

    if in_notifies and newest is not null then
      perform pg_notify('tributary_signals', newest::text);
    end if;

    if arrivals < jsonb_array_length(in_deliveries) then
      return query
        select d.index, known.id, known.signal_ids
        from jsonb_to_recordset(in_deliveries) as d(index integer, id uuid, connection_id uuid, event_id text)
        join deliveries known on known.connection_id = d.connection_id and known.event_id = d.event_id
        where known.id <> d.id;
    end if;
  end $$;
  revoke all on function journal_append from public;
  grant execute on function journal_append to tributary_app;
`;

/** Each crosses tenants by design, and each answers or changes just what its one caller needs. */
const doors = `
  create function webhook_endpoint_by_token(in_provider_id text, in_token_hash bytea)
  returns table (tenant_id text, connection_id uuid, status text, sealed_secret bytea)
  language sql stable security definer set search_path = public, pg_temp as $$
    select e.tenant_id, e.connection_id, c.status, e.sealed_secret
    from webhook_endpoints e join connections c on c.id = e.connection_id
    where e.token_hash = in_token_hash and e.provider_id = in_provider_id
  $$;

  create function endpoints_changed() returns trigger
  language plpgsql as $$ begin perform pg_notify('tributary_endpoints', ''); return null; end $$;
  create trigger status_changed after update of status on connections
    for each row when (old.status is distinct from new.status) execute function endpoints_changed();
  create trigger endpoint_changed after update or delete on webhook_endpoints
    for each row execute function endpoints_changed();

  create function feed_edge() returns bigint
  language sql stable security definer set search_path = public, pg_temp as $$
    select coalesce(max(sequence), 0) from signals
  $$;

  create function feed_read(in_after bigint, in_tenants text[], in_limit integer) returns setof signals
  language sql stable security definer set search_path = public, pg_temp as $$
    select * from signals where sequence > in_after and tenant_id = any(in_tenants) order by sequence limit in_limit
  $$;

  create function actions_abandoned(in_now timestamptz, in_limit integer)
  returns table (tenant_id text, id uuid)
  language sql stable security definer set search_path = public, pg_temp as $$
    select tenant_id, id from actions
    where lease_until is not null and (lease_until < in_now or status = 'RUNNING')
      and (held_until is null or held_until <= clock_timestamp())
    order by lease_until limit in_limit
  $$;

  create function action_lease_holds(in_tenant text, in_id uuid, in_owner uuid, in_milliseconds integer) returns boolean
  language sql security definer set search_path = public, pg_temp as $$
    select exists (
      select from actions
      where id = in_id and tenant_id = in_tenant and lease_owner = in_owner
        and held_until > clock_timestamp() + in_milliseconds * interval '1 millisecond')
  $$;

  create function health_record(in_minutes jsonb, in_states jsonb) returns void
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
    insert into connection_health as known (connection_id, tenant_id, last_success_at, last_failure_at, recent_errors)
      select s.connection_id, s.tenant_id, s.last_success_at, s.last_failure_at, s.recent_errors
      from jsonb_to_recordset(in_states) as s(
        connection_id uuid, tenant_id text, last_success_at timestamptz, last_failure_at timestamptz, recent_errors jsonb)
      order by s.connection_id
      on conflict (connection_id) do update set
        last_success_at = greatest(known.last_success_at, excluded.last_success_at),
        last_failure_at = greatest(known.last_failure_at, excluded.last_failure_at),
        recent_errors = (select coalesce(jsonb_agg(error order by place), '[]')
                         from jsonb_array_elements(excluded.recent_errors || known.recent_errors)
                              with ordinality as errors(error, place) where place <= 10);
    delete from health_minutes m using jsonb_to_recordset(in_states) as s(connection_id uuid)
      where m.connection_id = s.connection_id and m.minute < now() - interval '1 day';
  end $$;

  revoke all on function webhook_endpoint_by_token, feed_edge, feed_read, actions_abandoned, action_lease_holds, health_record
    from public;
  grant execute on function webhook_endpoint_by_token, feed_edge, feed_read, actions_abandoned, action_lease_holds, health_record
    to tributary_app;
`;
