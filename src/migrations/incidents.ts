import { Migration } from '@mikro-orm/migrations';

/** What is wrong with connections, and whom a tenant has us tell. */
export class Incidents extends Migration {
  override name = 'incidents';

  override up(): void {
    this.addSql(`
      create table incidents (
        id uuid primary key,
        tenant_id text not null,
        connection_id uuid not null,
        provider_id text not null,
        kind text not null,
        message text not null,
        opened_at timestamptz(3) not null,
        -- Since when its cause is gone.
        quiet_since timestamptz(3),
        resolved_at timestamptz(3)
      );
      create unique index incidents_open on incidents (connection_id, kind) where resolved_at is null;
      create index incidents_tenant on incidents (tenant_id, id);

      create table incident_sinks (
        id uuid primary key,
        tenant_id text not null unique,
        url text not null,
        sealed_secret bytea not null,
        updated_at timestamptz(3) not null
      );
      create table incident_deliveries (
        id uuid primary key,
        tenant_id text not null,
        incident_id uuid not null references incidents (id) on delete cascade,
        -- As it is signed and sent, each time.
        body text not null,
        created_at timestamptz(3) not null,
        due_at timestamptz(3) not null,
        lease_until timestamptz(3),
        fence bigint not null default 0,
        attempts integer not null default 0,
        last_problem text,
        -- Delivered or given up.
        settled_at timestamptz(3)
      );
      create index incident_deliveries_due on incident_deliveries (due_at) where settled_at is null;
      create index incident_deliveries_incident on incident_deliveries (incident_id, id);
      create index incident_deliveries_settled on incident_deliveries (settled_at);
    `);
    for (const table of ['incidents', 'incident_sinks', 'incident_deliveries']) {
      this.addSql(`
        alter table ${table} enable row level security;
        create policy tenant on ${table} to tributary_app
          using (tenant_id = current_setting('tributary.tenant', true))
          with check (tenant_id = current_setting('tributary.tenant', true));
      `);
    }
    this.addSql(`
      grant select, insert on incidents to tributary_app;
      grant update (quiet_since, resolved_at) on incidents to tributary_app;
      grant select, insert, update, delete on incident_sinks to tributary_app;
      grant select, insert on incident_deliveries to tributary_app;
      grant update (due_at, lease_until, last_problem, settled_at) on incident_deliveries to tributary_app;
    `);
    this.addSql(door);
  }
}

/** Across tenants, as all that is due is. */
const door = `
  -- Of an incident one after the other: nobody hears of a recovery before the trouble.
  create function incident_deliveries_claim(in_now timestamptz, in_limit integer, in_lease_seconds integer)
  returns table (id uuid, tenant_id text, body text, created_at timestamptz, attempts integer, fence bigint)
  language plpgsql security definer set search_path = public, pg_temp as $$
  begin
    delete from incident_deliveries d where d.settled_at < in_now - interval '30 days';
    return query
      update incident_deliveries d set lease_until = in_now + make_interval(secs => in_lease_seconds),
                                       fence = d.fence + 1, attempts = d.attempts + 1
      where d.id in (
        select due.id from incident_deliveries due
        where due.settled_at is null and due.due_at <= in_now
          and (due.lease_until is null or due.lease_until <= in_now)
          and not exists (select from incident_deliveries earlier
                          where earlier.incident_id = due.incident_id and earlier.id < due.id
                            and earlier.settled_at is null)
        order by due.due_at limit in_limit for update skip locked)
      returning d.id, d.tenant_id, d.body, d.created_at, d.attempts, d.fence;
  end $$;

  revoke all on function incident_deliveries_claim from public;
  grant execute on function incident_deliveries_claim to tributary_app;
`;
