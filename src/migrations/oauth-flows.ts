import { Migration } from '@mikro-orm/migrations';

/** Authorizations under way, and the OAuth apps that tenants bring themselves. */
export class OAuthFlows extends Migration {
  override name = 'oauth-flows';

  override up(): void {
    this.addSql(`
      create table oauth_flows (
        id uuid primary key,
        tenant_id text not null,
        connection_id uuid not null,
        link_hash bytea not null unique,
        state_hash bytea not null unique,
        -- Of the browser whose person agreed to go on; nobody else can finish.
        session_hash bytea,
        sealed bytea not null,
        actor text not null,
        correlation_id text not null,
        return_to text,
        expires_at timestamptz(3) not null,
        foreign key (tenant_id, connection_id) references connections (tenant_id, id)
      );
      create index oauth_flows_connection on oauth_flows (connection_id);
      create index oauth_flows_expires on oauth_flows (expires_at);
      create table oauth_apps (
        tenant_id text not null check (length(tenant_id) between 1 and 255),
        provider_id text not null,
        id uuid not null unique,
        client_id text not null,
        -- Where it is registered; null: with the provider's own service.
        base_url text,
        sealed_secret bytea not null,
        updated_at timestamptz(3) not null,
        primary key (tenant_id, provider_id)
      );
    `);
    for (const table of ['oauth_flows', 'oauth_apps']) {
      this.addSql(`
        alter table ${table} enable row level security;
        create policy tenant on ${table} to tributary_app
          using (tenant_id = current_setting('tributary.tenant', true))
          with check (tenant_id = current_setting('tributary.tenant', true));
      `);
    }
    this.addSql(`
      grant select, insert, delete, update (sealed) on oauth_flows to tributary_app;
      grant select, insert, update, delete on oauth_apps to tributary_app;
    `);
    this.addSql(doors);
  }
}

/** A browser comes without a token: what it brings is as good as one, and names one row. */
const doors = `
  -- For the page that tells what a link is about. Whoever only looks changes nothing.
  create function oauth_flow_look(in_link_hash bytea, in_session_hash bytea, in_now timestamptz)
  returns setof oauth_flows
  language sql stable security definer set search_path = public, pg_temp as $$
    select * from oauth_flows
      where link_hash = in_link_hash and expires_at > in_now
        and (session_hash is null or session_hash = in_session_hash)
  $$;

  -- Binds the flow to the browser that goes on first.
  create function oauth_flow_open(in_link_hash bytea, in_session_hash bytea, in_now timestamptz)
  returns setof oauth_flows
  language sql security definer set search_path = public, pg_temp as $$
    update oauth_flows set session_hash = in_session_hash
      where link_hash = in_link_hash and expires_at > in_now
        and (session_hash is null or session_hash = in_session_hash)
      returning *
  $$;

  -- Once: whoever comes later finds nothing. What is over goes with it.
  create function oauth_flow_take(in_state_hash bytea, in_session_hash bytea, in_now timestamptz)
  returns setof oauth_flows
  language sql security definer set search_path = public, pg_temp as $$
    delete from oauth_flows where expires_at < in_now - interval '1 hour';
    delete from oauth_flows
      where state_hash = in_state_hash and session_hash = in_session_hash and expires_at > in_now
      returning *
  $$;

  revoke all on function oauth_flow_look, oauth_flow_open, oauth_flow_take from public;
  grant execute on function oauth_flow_look, oauth_flow_open, oauth_flow_take to tributary_app;
`;
