import { Migration } from '@mikro-orm/migrations';

/** How many calls a tenant allows itself: in all, to one provider, or by one connection. */
export class CallBudgets extends Migration {
  override name = 'call-budgets';

  override up(): void {
    // scope_id is the provider's or the connection's id, and empty for the tenant. No foreign key: connections are
    // marked as deleted, never removed.
    this.addSql(`
      create table call_budgets (
        tenant_id text not null,
        scope text not null check (scope in ('TENANT', 'PROVIDER', 'CONNECTION')),
        scope_id text not null,
        calls_per_hour integer check (calls_per_hour >= 0),
        calls_per_day integer check (calls_per_day >= 0),
        updated_at timestamptz(3) not null,
        primary key (tenant_id, scope, scope_id)
      );
      alter table call_budgets enable row level security;
      create policy tenant on call_budgets to tributary_app
        using (tenant_id = current_setting('tributary.tenant', true))
        with check (tenant_id = current_setting('tributary.tenant', true));
      grant select, insert, update, delete on call_budgets to tributary_app;
    `);
  }
}
