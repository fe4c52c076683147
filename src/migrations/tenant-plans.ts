import { Migration } from '@mikro-orm/migrations';

/** The plan of a tenant that is not on the default one. Written by the operator, as the role that owns the table. */
export class TenantPlans extends Migration {
  override name = 'tenant-plans';

  override up(): void {
    this.addSql(`
      create table tenant_plans (
        tenant_id text primary key check (length(tenant_id) between 1 and 255),
        plan text not null check (plan in ('free', 'team', 'business', 'enterprise')),
        since timestamptz(3) not null default now()
      );
      alter table tenant_plans enable row level security;
      create policy tenant on tenant_plans to tributary_app
        using (tenant_id = current_setting('tributary.tenant', true));
      grant select on tenant_plans to tributary_app;
    `);
  }
}
