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
        unique (connection_id, external_id),
        foreign key (tenant_id, connection_id) references connections (tenant_id, id)
      );
      alter table webhook_registrations enable row level security;
      create policy tenant on webhook_registrations to tributary_app
        using (tenant_id = current_setting('tributary.tenant', true))
        with check (tenant_id = current_setting('tributary.tenant', true));
      grant select, insert, update, delete on webhook_registrations to tributary_app;
    `);
  }
}
