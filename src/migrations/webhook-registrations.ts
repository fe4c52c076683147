import { Migration } from '@mikro-orm/migrations';

/** Which webhooks we have set up at providers, so that they can be brought into line and taken away again. */
export class WebhookRegistrations extends Migration {
  override name = 'webhook-registrations';

  override up(): void {
    this.addSql(`
      create table webhook_registrations (
        id uuid primary key,
        tenant_id text not null,
        connection_id uuid not null,
        target jsonb not null,
        external_id text not null,
        events text[] not null,
        created_at timestamptz(3) not null,
        updated_at timestamptz(3) not null,
        -- How far failed deliveries have been asked for again, and when to look next.
        redelivery_cursor jsonb,
        redelivery_due_at timestamptz(3) not null default '-infinity',
        -- How deliveries to an app's address name it; empty where it sends to the connection's own.
        routes text[] not null default '{}',
        -- When the provider lets it end; null where it does not.
        expires_at timestamptz(3),
        renewal_due_at timestamptz(3),
        renewal_failures integer not null default 0,
        renewal_failure jsonb,
        unique (connection_id, external_id),
        foreign key (tenant_id, connection_id) references connections (tenant_id, id)
      );
      alter table webhook_registrations enable row level security;
      create policy tenant on webhook_registrations to tributary_app
        using (tenant_id = current_setting('tributary.tenant', true))
        with check (tenant_id = current_setting('tributary.tenant', true));
      grant select, insert, update, delete on webhook_registrations to tributary_app;
      create index webhook_registrations_due on webhook_registrations (redelivery_due_at);
      create index webhook_registrations_renewal on webhook_registrations (renewal_due_at)
        where renewal_due_at is not null;
      create index webhook_registrations_routes on webhook_registrations using gin (routes);
      create trigger webhook_registration_changed after insert or delete or update of routes on webhook_registrations
        for each row execute function endpoints_changed();
    `);
    this.addSql(doors);
  }
}

/** They cross tenants by design. A claim moves the row on, so that whoever dies with it leaves it to the next time. */
const doors = `
  create function redeliveries_claim(in_providers text[], in_now timestamptz, in_next timestamptz, in_limit integer)
  returns table (tenant_id text, registration_id uuid)
  language sql security definer set search_path = public, pg_temp as $$
    update webhook_registrations set redelivery_due_at = in_next
    where id in (
      select r.id from webhook_registrations r
      join connections c on c.id = r.connection_id
      where r.redelivery_due_at <= in_now and c.status = 'ACTIVE' and c.provider_id = any(in_providers)
      order by r.redelivery_due_at limit in_limit for update of r skip locked)
    returning tenant_id, id
  $$;
  create function renewals_claim(in_now timestamptz, in_next timestamptz, in_limit integer)
  returns table (tenant_id text, registration_id uuid)
  language sql security definer set search_path = public, pg_temp as $$
    update webhook_registrations set renewal_due_at = in_next
    where id in (
      select r.id from webhook_registrations r
      join connections c on c.id = r.connection_id
      where r.renewal_due_at <= in_now and c.status = 'ACTIVE'
      order by r.renewal_due_at limit in_limit for update of r skip locked)
    returning tenant_id, id
  $$;
  revoke all on function redeliveries_claim, renewals_claim from public;
  grant execute on function redeliveries_claim, renewals_claim to tributary_app;
`;
