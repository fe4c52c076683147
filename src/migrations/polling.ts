import { Migration } from '@mikro-orm/migrations';

/** What is polled, from where on and when next; and what polls found before any webhook told of it. */
export class Polling extends Migration {
  override name = 'polling';

  override up(): void {
    this.addSql(`
      create table pollings (
        connection_id uuid primary key,
        tenant_id text not null,
        is_on boolean not null,
        min_seconds integer not null,
        max_seconds integer not null check (max_seconds >= min_seconds),
        gaps integer not null,
        -- What the streams were last derived from: when either differs, they are derived anew.
        connector_version text not null,
        connection_updated_at timestamptz(3) not null,
        unique (tenant_id, connection_id),
        foreign key (tenant_id, connection_id) references connections (tenant_id, id)
      );
      create table poll_streams (
        id uuid primary key,
        tenant_id text not null,
        connection_id uuid not null,
        name text not null,
        mode text not null check (mode in ('LIVE', 'BACKFILL')),
        title text not null,
        since timestamptz(3) not null,
        cursor jsonb,
        -- When to poll next; null: not any more.
        due_at timestamptz(3),
        -- Its connection is not ACTIVE, or its tenant has switched polling off.
        is_resting boolean not null,
        interval_seconds integer not null,
        failures integer not null,
        failure jsonb,
        -- By the clock of the database, since those of processes differ and jump.
        lease_until timestamptz,
        fence bigint not null,
        last_polled_at timestamptz(3),
        last_found_at timestamptz(3),
        found integer not null,
        progress real,
        status text check (status in ('RUNNING', 'DONE', 'FAILED')),
        unique (connection_id, name, mode),
        foreign key (tenant_id, connection_id) references pollings (tenant_id, connection_id) on delete cascade
      );
      create index poll_streams_due on poll_streams (mode, due_at) where due_at is not null and not is_resting;
      create table poll_findings (
        signal_id uuid primary key,
        tenant_id text not null,
        connection_id uuid not null,
        stream_id uuid not null references poll_streams (id) on delete cascade,
        found_at timestamptz(3) not null
      );
      create index poll_findings_stream on poll_findings (stream_id, found_at);
    `);
    for (const table of ['pollings', 'poll_streams', 'poll_findings']) {
      this.addSql(`
        alter table ${table} enable row level security;
        create policy tenant on ${table} to tributary_app
          using (tenant_id = current_setting('tributary.tenant', true))
          with check (tenant_id = current_setting('tributary.tenant', true));
      `);
    }
    this.addSql(`
      grant select, insert, update on pollings, poll_streams to tributary_app;
      grant delete on poll_streams to tributary_app;
      grant select, delete on poll_findings to tributary_app;
    `);
    this.addSql(rest);
    this.addSql(doors);
    this.addSql(append);
  }
}

/** Whatever changes a connection's status, its polls rest or go on in the same transaction. */
const rest = `
  create function polls_rest() returns trigger
  language plpgsql as $$
  begin
    update poll_streams s set is_resting = new.status <> 'ACTIVE' or (s.mode = 'LIVE' and not p.is_on)
      from pollings p where p.connection_id = new.id and s.connection_id = new.id;
    return null;
  end $$;
  create trigger polls_rest after update of status on connections
    for each row when (old.status is distinct from new.status) execute function polls_rest();
`;

/** Both cross tenants by design, and answer just what their one caller needs. */
const doors = `
  create function polls_unenrolled(in_providers text[], in_versions text[], in_limit integer)
  returns table (tenant_id text, connection_id uuid)
  language sql stable security definer set search_path = public, pg_temp as $$
    select c.tenant_id, c.id
    from connections c
    join unnest(in_providers, in_versions) as known(provider_id, version) on known.provider_id = c.provider_id
    left join pollings p on p.connection_id = c.id
    where c.status = 'ACTIVE' and 'POLLING' = any(c.capabilities)
      and (p.connection_id is null or p.connector_version <> known.version or p.connection_updated_at <> c.updated_at)
    limit in_limit
  $$;

  create function polls_claim(in_mode text, in_now timestamptz, in_lease interval, in_limit integer)
  returns setof poll_streams
  language sql security definer set search_path = public, pg_temp as $$
    update poll_streams set lease_until = clock_timestamp() + in_lease, fence = fence + 1
    where id in (
      select id from poll_streams
      where mode = in_mode and due_at <= in_now and not is_resting
        and (lease_until is null or lease_until <= clock_timestamp())
      order by due_at limit in_limit for update skip locked)
    returning *
  $$;

  revoke all on function polls_unenrolled, polls_claim from public;
  grant execute on function polls_unenrolled, polls_claim to tributary_app;
`;

/**
 * Moves a stream's cursor and appends what its page brought, in one transaction: both or neither. Null, and nothing was
 * done, when the fence is not the caller's any more or the stream rests. Else how many signals were new.
 *
 * A page without entries never waits for the journal's lock. With in_watched the new ones are kept as findings, until a
 * webhook had its time to tell of them.
 */
const append = `
  create function poll_append(in_stream uuid, in_fence bigint, in_now timestamptz, in_cursor jsonb, in_progress real,
                              in_watched boolean, in_deliveries jsonb, in_signals jsonb, in_bodies bytea)
  returns integer
  language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off as $$
  declare
    polled poll_streams;
    fresh uuid[] := '{}';
  begin
    select * into polled from poll_streams where id = in_stream and fence = in_fence and not is_resting for update;
    if not found then
      return null;
    end if;

    if jsonb_array_length(in_deliveries) > 0 then
      -- From here on nobody else appends, so that what is not there yet is new.
      perform pg_advisory_xact_lock(7236001);
      fresh := array(
        select distinct s.id from jsonb_to_recordset(in_signals) as s(id uuid)
        where not exists (select from signals known where known.id = s.id));
      perform journal_append(in_deliveries, in_signals, in_bodies, true);
      fresh := array(select id from signals where id = any(fresh));
      if in_watched then
        insert into poll_findings (signal_id, tenant_id, connection_id, stream_id, found_at)
          select signal_id, polled.tenant_id, polled.connection_id, in_stream, in_now from unnest(fresh) as signal_id;
      end if;
    end if;

    update poll_streams set
      cursor = in_cursor,
      progress = in_progress,
      found = polled.found + cardinality(fresh),
      last_found_at = case when cardinality(fresh) > 0 then in_now else polled.last_found_at end
      where id = in_stream;
    return cardinality(fresh);
  end $$;
  revoke all on function poll_append from public;
  grant execute on function poll_append to tributary_app;
`;
