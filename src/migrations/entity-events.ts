import { Migration } from '@mikro-orm/migrations';

/** Up to where the keys of entities were published, one place for each feed over all tenants. */
export class EntityEvents extends Migration {
  override name = 'entity-events';

  override up(): void {
    this.addSql(`
      create table entity_event_positions (
        feed text primary key check (feed in ('signals', 'changes', 'health')),
        sequence bigint not null
      );
      -- No policy: nobody sees it but through the functions below.
      alter table entity_event_positions enable row level security;
      grant select on entity_event_positions to tributary_app;
    `);
    this.addSql(doors);
  }
}

/**
 * All three cross tenants by design, and tell ids alone. Whoever takes a position holds its row until the transaction
 * ends, and moves it in the same one.
 */
const doors = `
  -- Null while another transaction has it. The first to ask begins with what comes from then on.
  create function entity_events_take(in_feed text) returns bigint
  language plpgsql security definer set search_path = public, pg_temp as $$
  declare
    taken bigint;
  begin
    if not exists (select from entity_event_positions where feed = in_feed) then
      insert into entity_event_positions (feed, sequence)
        values (in_feed, case in_feed when 'signals' then feed_edge()
                                      when 'changes' then connection_changes_edge()
                                      else health_changes_edge() end)
        on conflict (feed) do nothing;
    end if;
    select sequence into taken from entity_event_positions where feed = in_feed for update skip locked;
    return taken;
  end $$;

  create function entity_events_read(in_feed text, in_after bigint, in_limit integer)
  returns table (sequence bigint, tenant_id text, id uuid)
  language plpgsql stable security definer set search_path = public, pg_temp as $$
  begin
    case in_feed
      when 'signals' then return query
        select s.sequence, s.tenant_id, s.id from signals s
        where s.sequence > in_after order by s.sequence limit in_limit;
      when 'changes' then return query
        select c.sequence, c.tenant_id, c.connection_id from connection_changes c
        where c.sequence > in_after order by c.sequence limit in_limit;
      when 'health' then return query
        select h.sequence, h.tenant_id, h.connection_id from health_changes h
        where h.sequence > in_after order by h.sequence limit in_limit;
    end case;
  end $$;

  create function entity_events_move(in_feed text, in_sequence bigint) returns void
  language sql security definer set search_path = public, pg_temp as $$
    update entity_event_positions set sequence = in_sequence where feed = in_feed
  $$;

  revoke all on function entity_events_take, entity_events_read, entity_events_move from public;
  grant execute on function entity_events_take, entity_events_read, entity_events_move to tributary_app;
`;
