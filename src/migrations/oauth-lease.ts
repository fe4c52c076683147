import { Migration } from '@mikro-orm/migrations';

/** Who renews an OAuth credential, whether a request of theirs is unanswered, and when to try again. */
export class OAuthLease extends Migration {
  override name = 'oauth-lease';

  override up(): void {
    this.addSql(`
      alter table credentials
        add refresh_owner uuid,
        add refresh_until timestamptz,
        add refresh_sent_at timestamptz,
        add refresh_failures integer not null default 0,
        add refresh_after timestamptz(3);
      create index credentials_expires on credentials (expires_at) where expires_at is not null;
    `);
    // All of it is about one version of the credential, whoever replaces that.
    this.addSql(`
      create function credential_replaced() returns trigger
      language plpgsql as $$
      begin
        new.refresh_owner := null;
        new.refresh_until := null;
        new.refresh_sent_at := null;
        new.refresh_failures := 0;
        new.refresh_after := null;
        return new;
      end $$;
      create trigger credential_replaced before update of version on credentials
        for each row when (old.version is distinct from new.version) execute function credential_replaced();
    `);
    // Between five minutes and one before the end, each credential at a moment of its own, so that what was connected
    // together is not renewed together.
    this.addSql(`
      create function credentials_due(in_now timestamptz, in_limit integer)
      returns table (tenant_id text, connection_id uuid)
      language sql stable security definer set search_path = public, pg_temp as $$
        select r.tenant_id, r.connection_id
        from credentials r join connections c on c.id = r.connection_id
        where r.expires_at < in_now + interval '5 minutes'
          and r.expires_at < in_now + interval '1 minute'
                             + interval '4 minutes' * (abs(hashtext(r.connection_id::text)::bigint) % 1000) / 1000
          and (r.refresh_after is null or r.refresh_after <= in_now)
          and (r.refresh_until is null or r.refresh_until <= clock_timestamp())
          and c.auth_method in ('OAUTH2', 'OAUTH2_CLIENT_CREDENTIALS', 'SERVICE_ACCOUNT')
          and c.status in ('PENDING_VERIFICATION', 'ACTIVE', 'ERROR')
        order by r.expires_at limit in_limit
      $$;
      revoke all on function credentials_due from public;
      grant execute on function credentials_due to tributary_app;
    `);
  }
}
