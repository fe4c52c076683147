import { Migration } from '@mikro-orm/migrations';

/** A data key per tenant, in versions; how far sealing anew has come; and who used which secret, what for. */
export class Vault extends Migration {
  override name = 'vault';

  override up(): void {
    this.addSql(`
      create table data_keys (
        tenant_id text not null check (length(tenant_id) between 1 and 255),
        version integer not null check (version > 0),
        provider text not null,
        key_id text not null,
        wrapped bytea not null,
        created_at timestamptz(3) not null,
        wrapped_at timestamptz(3) not null,
        primary key (tenant_id, version)
      );
      create index data_keys_created on data_keys (created_at);
      alter table credentials
        add sealed_previous bytea,
        -- Until then the one before is tried as well.
        add previous_until timestamptz(3);
      create table reseals (
        tenant_id text primary key,
        to_version integer not null,
        -- When the walk over the tenant's rows began, or may begin.
        walk_at timestamptz(3) not null,
        source integer not null,
        after text not null
      );
      create table secret_accesses (
        id uuid primary key,
        tenant_id text not null,
        connection_id uuid not null,
        field text not null,
        secret_version integer,
        actor text not null,
        purpose text not null,
        correlation_id text,
        accessed_at timestamptz(3) not null
      );
      create index secret_accesses_connection on secret_accesses (connection_id, id) include (tenant_id);
      create index deliveries_tenant on deliveries (tenant_id, id);
    `);
    for (const table of ['data_keys', 'reseals', 'secret_accesses']) {
      this.addSql(`
        alter table ${table} enable row level security;
        create policy tenant on ${table} to tributary_app
          using (tenant_id = current_setting('tributary.tenant', true))
          with check (tenant_id = current_setting('tributary.tenant', true));
      `);
    }
    this.addSql(`
      grant select, insert, delete on data_keys to tributary_app;
      grant update (provider, key_id, wrapped, wrapped_at) on data_keys to tributary_app;
      grant select, insert, update, delete on reseals to tributary_app;
      grant select on secret_accesses to tributary_app;
      grant update (body) on deliveries to tributary_app;
    `);
    this.addSql(doors);
  }
}

/** Each crosses tenants by design, and each answers or changes just what its one caller needs. */
const doors = `
  create function keys_changed() returns trigger
  language plpgsql as $$ begin perform pg_notify('tributary_keys', ''); return null; end $$;
  create trigger keys_changed after insert or update or delete on data_keys
    for each statement execute function keys_changed();

  create function credentials_changed() returns trigger
  language plpgsql as $$ begin perform pg_notify('tributary_credentials', ''); return null; end $$;
  create trigger credentials_changed after update of version or delete on credentials
    for each statement execute function credentials_changed();

  create function secret_access_record(in_accesses jsonb) returns void
  language sql security definer set search_path = public, pg_temp as $$
    insert into secret_accesses (id, tenant_id, connection_id, field, secret_version, actor, purpose, correlation_id,
                                 accessed_at)
      select a.id, a.tenant_id, a.connection_id, a.field, a.secret_version, a.actor, a.purpose, a.correlation_id,
             a.accessed_at
      from jsonb_to_recordset(in_accesses) as a(
        id uuid, tenant_id text, connection_id uuid, field text, secret_version integer, actor text, purpose text,
        correlation_id text, accessed_at timestamptz)
      on conflict (id) do nothing
  $$;

  -- Tenants whose newest key is older than that.
  create function data_keys_due(in_before timestamptz, in_limit integer) returns table (tenant_id text)
  language sql stable security definer set search_path = public, pg_temp as $$
    select k.tenant_id from data_keys k group by k.tenant_id having max(k.created_at) < in_before
      order by max(k.created_at) limit in_limit
  $$;

  -- Tenants who still keep a key beside their newest.
  create function data_keys_superseded(in_limit integer) returns table (tenant_id text)
  language sql stable security definer set search_path = public, pg_temp as $$
    select k.tenant_id from data_keys k group by k.tenant_id having count(*) > 1 order by random() limit in_limit
  $$;

  -- Keys that another key-encryption key has wrapped.
  create function data_keys_not_under(in_provider text, in_key_id text, in_limit integer)
  returns table (tenant_id text, version integer)
  language sql stable security definer set search_path = public, pg_temp as $$
    select k.tenant_id, k.version from data_keys k
      where (k.provider, k.key_id) is distinct from (in_provider, in_key_id)
      order by k.tenant_id, k.version limit in_limit
  $$;

  revoke all on function secret_access_record, data_keys_due, data_keys_superseded, data_keys_not_under from public;
  grant execute on function secret_access_record, data_keys_due, data_keys_superseded, data_keys_not_under
    to tributary_app;
`;
