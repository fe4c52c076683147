import { Migration } from '@mikro-orm/migrations';

/** What became of connections and when, for whoever follows them live: one row a change, in the order of commits. */
export class ConnectionChanges extends Migration {
  override name = 'connection-changes';

  override up(): void {
    this.addSql(`
      create sequence connection_change_sequence as bigint;
      create table connection_changes (
        sequence bigint primary key,
        tenant_id text not null,
        connection_id uuid not null,
        verb text not null,
        outcome text not null,
        previous_status text,
        status text not null,
        occurred_at timestamptz(3) not null,
        foreign key (tenant_id, connection_id) references connections (tenant_id, id)
      );
      create index connection_changes_tenant on connection_changes (tenant_id, sequence);
      alter table connection_changes enable row level security;
      create policy tenant on connection_changes to tributary_app
        using (tenant_id = current_setting('tributary.tenant', true))
        with check (tenant_id = current_setting('tributary.tenant', true));
      grant select, insert on connection_changes to tributary_app;
    `);
    this.addSql(numberChange);
    this.addSql(doors);
  }
}

/**
 * Gives a change its number, and tells those who follow. The lock makes the order of numbers the order of commits, as
 * in `journal_append`: whoever inserts does so as the last thing of its transaction.
 *
 * A change is kept until the one after it in its tenant is seven days old. So the newest always stays, however old it
 * is, and whoever was away for less than seven days finds its place again. Looking at the oldest hundred bounds the
 * work, and a hundred go for each that comes.
 */
const numberChange = `
  create function connection_change_number() returns trigger
  language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off as $$
  begin
    perform pg_advisory_xact_lock(7236002);
    new.sequence := nextval('connection_change_sequence');
    with oldest as (
      select sequence, occurred_at from connection_changes
      where tenant_id = new.tenant_id order by sequence limit 101)
    delete from connection_changes where sequence in (
      select sequence from oldest
      where sequence < (select max(sequence) from oldest where occurred_at < now() - interval '7 days'));
    perform pg_notify('tributary_connections', new.sequence::text);
    return new;
  end $$;
  revoke all on function connection_change_number from public;
  create trigger numbered before insert on connection_changes
    for each row execute function connection_change_number();
`;

/** For the tail, which reads once for all tenants with subscribers. */
const doors = `
  create function connection_changes_edge() returns bigint
  language sql stable security definer set search_path = public, pg_temp as $$
    select coalesce(max(sequence), 0) from connection_changes
  $$;

  create function connection_changes_read(in_after bigint, in_tenants text[], in_limit integer)
  returns setof connection_changes
  language sql stable security definer set search_path = public, pg_temp as $$
    select * from connection_changes
    where sequence > in_after and tenant_id = any(in_tenants) order by sequence limit in_limit
  $$;

  revoke all on function connection_changes_edge, connection_changes_read from public;
  grant execute on function connection_changes_edge, connection_changes_read to tributary_app;
`;
