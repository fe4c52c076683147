import { Migration } from '@mikro-orm/migrations';

/** The integration log: each call to a provider, for as long as PROVIDER_CALL_RETENTION_DAYS says. */
export class ProviderCalls extends Migration {
  override name = 'provider-calls';

  override up(): void {
    // No foreign key: a check per row would lock the connection's row on every call.
    this.addSql(`
      create table provider_calls (
        id uuid primary key,
        tenant_id text not null,
        connection_id uuid not null,
        provider_id text not null,
        operation text not null,
        method text not null,
        endpoint text not null,
        status integer,
        category text,
        code text,
        attempts integer not null,
        duration_ms integer not null,
        correlation_id text not null,
        trace_id text,
        limit_remaining integer,
        called_at timestamptz(3) not null
      );
      create index provider_calls_tenant on provider_calls (tenant_id, id);
      create index provider_calls_connection on provider_calls (connection_id, id) include (tenant_id);
      create index provider_calls_correlation on provider_calls (tenant_id, correlation_id, id);
      create index provider_calls_age on provider_calls (called_at);
      alter table provider_calls enable row level security;
      create policy tenant on provider_calls to tributary_app
        using (tenant_id = current_setting('tributary.tenant', true))
        with check (tenant_id = current_setting('tributary.tenant', true));
      grant select on provider_calls to tributary_app;
    `);
    this.addSql(doors);
  }
}

/** Both cross tenants by design: one batch holds the calls of many, and age is all that purging looks at. */
const doors = `
  create function provider_calls_record(in_calls jsonb) returns void
  language sql security definer set search_path = public, pg_temp as $$
    insert into provider_calls (id, tenant_id, connection_id, provider_id, operation, method, endpoint, status, category,
                                code, attempts, duration_ms, correlation_id, trace_id, limit_remaining, called_at)
      select c.id, c.tenant_id, c.connection_id, c.provider_id, c.operation, c.method, c.endpoint, c.status, c.category,
             c.code, c.attempts, c.duration_ms, c.correlation_id, c.trace_id, c.limit_remaining, c.called_at
      from jsonb_to_recordset(in_calls) as c(
        id uuid, tenant_id text, connection_id uuid, provider_id text, operation text, method text, endpoint text,
        status integer, category text, code text, attempts integer, duration_ms integer, correlation_id text,
        trace_id text, limit_remaining integer, called_at timestamptz)
      on conflict (id) do nothing
  $$;

  create function provider_calls_purge(in_before timestamptz, in_limit integer) returns integer
  language plpgsql security definer set search_path = public, pg_temp as $$
  declare
    purged integer;
  begin
    with old as materialized (
      select id from provider_calls where called_at < in_before order by called_at limit in_limit
      for update skip locked)
    delete from provider_calls using old where provider_calls.id = old.id;
    get diagnostics purged = row_count;
    return purged;
  end $$;

  revoke all on function provider_calls_record, provider_calls_purge from public;
  grant execute on function provider_calls_record, provider_calls_purge to tributary_app;
`;
