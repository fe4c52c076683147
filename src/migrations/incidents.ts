import { Migration } from '@mikro-orm/migrations';

/** What is wrong with connections, and whom a tenant has us tell. */
export class Incidents extends Migration {
  override name = 'incidents';

  override up(): void {
    this.addSql(`
      create table incidents (
        id uuid primary key,
        tenant_id text not null,
        -- What it is about: null where that is a budget of the whole tenant, or of one provider, or the receipts' log.
        scope text not null check (scope in ('TENANT', 'PROVIDER', 'CONNECTION')),
        connection_id uuid,
        provider_id text,
        kind text not null,
        message text not null,
        opened_at timestamptz(3) not null,
        -- Since when its cause is gone.
        quiet_since timestamptz(3),
        resolved_at timestamptz(3),
        -- Of a budget only: which of its windows, how many calls it allowed then, and when the next window begins.
        budget_period text check (budget_period in ('HOUR', 'DAY')),
        budget_calls integer,
        ends_at timestamptz(3),
        check ((scope = 'CONNECTION') = (connection_id is not null)),
        check ((scope = 'TENANT') = (provider_id is null)),
        check (scope = 'CONNECTION' or budget_period is not null or kind = 'RECEIPTS_ROLLED_BACK')
      );
      create unique index incidents_open on incidents (connection_id, kind)
        where resolved_at is null and budget_period is null;
      create unique index incidents_open_budget
        on incidents (tenant_id, scope, coalesce(connection_id::text, provider_id, ''), budget_period)
        where resolved_at is null and budget_period is not null;
      create unique index incidents_open_tenant on incidents (tenant_id, kind)
        where resolved_at is null and scope = 'TENANT' and budget_period is null;
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
    this.addSql(budgetDoor);
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

/** A spent budget is over when its window is, or when it is not the budget in force any more. */
const budgetDoor = `
  create function incidents_budget_over(in_now timestamptz, in_limit integer) returns table (tenant_id text, id uuid)
  language sql stable security definer set search_path = public, pg_temp as $$
    select i.tenant_id, i.id from incidents i
    where i.resolved_at is null and i.budget_period is not null and (
      i.ends_at <= in_now
      or not exists (
        select from call_budgets b
        where b.tenant_id = i.tenant_id and b.scope = i.scope
          and b.scope_id = coalesce(i.connection_id::text, i.provider_id, '')
          and i.budget_calls = case i.budget_period when 'HOUR' then b.calls_per_hour else b.calls_per_day end))
    limit in_limit
  $$;

  revoke all on function incidents_budget_over from public;
  grant execute on function incidents_budget_over to tributary_app;
`;
