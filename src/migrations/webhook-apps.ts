import { Migration } from '@mikro-orm/migrations';

/** Apps to which a provider sends the webhooks of many accounts at one address, and addresses that await a handshake. */
export class WebhookApps extends Migration {
  override name = 'webhook-apps';

  override up(): void {
    this.addSql(`
      create table webhook_apps (
        tenant_id text not null check (length(tenant_id) between 1 and 255),
        provider_id text not null,
        id uuid not null unique,
        token_hash bytea not null unique,
        sealed_token bytea not null,
        sealed_secret bytea not null,
        sealed_previous_secret bytea,
        previous_secret_until timestamptz(3),
        handshake text check (handshake in ('AWAITED', 'RECEIVED', 'SHOWN')),
        updated_at timestamptz(3) not null,
        primary key (tenant_id, provider_id)
      );
      alter table webhook_apps enable row level security;
      create policy tenant on webhook_apps to tributary_app
        using (tenant_id = current_setting('tributary.tenant', true))
        with check (tenant_id = current_setting('tributary.tenant', true));
      grant select, insert, update, delete on webhook_apps to tributary_app;

      alter table webhook_endpoints
        add handshake text check (handshake in ('AWAITED', 'RECEIVED', 'SHOWN'));
      alter table connections
        -- How an app's deliveries name the account, as the provider told when it was asked last.
        add app_account text,
        -- Of the OAuth app that a person gave consent to.
        add app_client_id text;
      create index connections_app_account on connections (provider_id, app_account) where app_account is not null;
    `);
    this.addSql(doors);
    this.addSql(notices);
  }
}

/** Each crosses tenants by design, and each answers just what its one caller needs. */
const doors = `
  -- What it returns changes, and PostgreSQL replaces no function for that.
  drop function webhook_endpoint_by_token(text, bytea);
  create function webhook_endpoint_by_token(in_provider_id text, in_token_hash bytea)
  returns table (kind text, tenant_id text, id uuid, status text, sealed_secret bytea, sealed_previous_secret bytea,
                 previous_secret_until timestamptz, token_until timestamptz, handshake text, settings jsonb)
  language sql stable security definer set search_path = public, pg_temp as $$
    select 'CONNECTION', e.tenant_id, e.connection_id, c.status, e.sealed_secret, e.sealed_previous_secret,
           e.previous_secret_until, case when e.token_hash = in_token_hash then null else e.previous_token_until end,
           e.handshake, c.settings
    from webhook_endpoints e join connections c on c.id = e.connection_id
    where (e.token_hash = in_token_hash or e.previous_token_hash = in_token_hash)
      and e.provider_id = in_provider_id
    union all
    select 'APP', a.tenant_id, a.id, null, a.sealed_secret, a.sealed_previous_secret, a.previous_secret_until, null,
           a.handshake, '{}'::jsonb
    from webhook_apps a
    where a.token_hash = in_token_hash and a.provider_id = in_provider_id
  $$;

  -- A tenant's own app reaches that tenant's connections of the account. The operator's (in_tenant_id is null) reaches
  -- those of every tenant whose credential comes from a person's consent to that very app; not those that speak to a
  -- server which the tenant names, since that server says what it likes about accounts.
  create function connections_of_app(in_provider_id text, in_account text, in_tenant_id text, in_client_id text)
  returns table (tenant_id text, connection_id uuid, status text, settings jsonb)
  language sql stable security definer set search_path = public, pg_temp as $$
    select c.tenant_id, c.id, c.status, c.settings
    from connections c
    where c.provider_id = in_provider_id and c.app_account = in_account and 'WEBHOOK' = any(c.capabilities)
      and case when in_tenant_id is not null then c.tenant_id = in_tenant_id
               else c.app_client_id = in_client_id and not c.settings ? 'baseUrl' end
    order by c.id
  $$;

  -- The same for what an app has registered by API: those that have the registration, not all of its account.
  create function connections_of_route(in_provider_id text, in_route text, in_tenant_id text, in_client_id text)
  returns table (tenant_id text, connection_id uuid, status text, settings jsonb)
  language sql stable security definer set search_path = public, pg_temp as $$
    select c.tenant_id, c.id, c.status, c.settings
    from connections c
    where c.provider_id = in_provider_id and 'WEBHOOK' = any(c.capabilities)
      and c.id in (select r.connection_id from webhook_registrations r where r.routes @> array[in_route])
      and case when in_tenant_id is not null then c.tenant_id = in_tenant_id
               else c.app_client_id = in_client_id and not c.settings ? 'baseUrl' end
    order by c.id
  $$;

  revoke all on function webhook_endpoint_by_token, connections_of_app, connections_of_route from public;
  grant execute on function webhook_endpoint_by_token, connections_of_app, connections_of_route to tributary_app;
`;

const notices = `
  drop trigger status_changed on connections;
  create trigger status_changed
    after update of status, app_account, app_client_id, settings, capabilities on connections
    for each row when (
      (old.status, old.app_account, old.app_client_id, old.settings, old.capabilities)
        is distinct from (new.status, new.app_account, new.app_client_id, new.settings, new.capabilities))
    execute function endpoints_changed();
  create trigger webhook_app_changed after insert or update or delete on webhook_apps
    for each row execute function endpoints_changed();
`;
