import { Migration } from '@mikro-orm/migrations';

/** Room for a webhook's previous secret and token, which count beside the new ones until their time is over. */
export class Rotation extends Migration {
  override name = 'rotation';

  override up(): void {
    this.addSql(`
      alter table webhook_endpoints
        add secret_created_at timestamptz(3),
        add sealed_previous_secret bytea,
        add previous_secret_until timestamptz(3),
        add previous_token_hash bytea unique,
        add previous_token_until timestamptz(3);
      update webhook_endpoints set secret_created_at = created_at;
      alter table webhook_endpoints alter secret_created_at set not null;
    `);
    // What it returns changes, and PostgreSQL replaces no function for that.
    this.addSql(`
      drop function webhook_endpoint_by_token(text, bytea);
      create function webhook_endpoint_by_token(in_provider_id text, in_token_hash bytea)
      returns table (tenant_id text, connection_id uuid, status text, sealed_secret bytea,
                     sealed_previous_secret bytea, previous_secret_until timestamptz, token_until timestamptz)
      language sql stable security definer set search_path = public, pg_temp as $$
        select e.tenant_id, e.connection_id, c.status, e.sealed_secret, e.sealed_previous_secret,
               e.previous_secret_until, case when e.token_hash = in_token_hash then null else e.previous_token_until end
        from webhook_endpoints e join connections c on c.id = e.connection_id
        where (e.token_hash = in_token_hash or e.previous_token_hash = in_token_hash)
          and e.provider_id = in_provider_id
      $$;
      revoke all on function webhook_endpoint_by_token from public;
      grant execute on function webhook_endpoint_by_token to tributary_app;
    `);
  }
}
