import { Migration } from '@mikro-orm/migrations';

/** Lets a poll cost the database little, also where there are tens of thousands of them. */
export class PollBatches extends Migration {
  override name = 'poll-batches';

  override up(): void {
    this.addSql(claim);
    this.addSql(settle);
    // Looks at connections one by one: statistics that lag behind would have it read whole tables for each.
    this.addSql(`
      alter function health_facts(timestamptz, uuid[]) set enable_seqscan = off;
      alter function health_claim(timestamptz, integer) set enable_seqscan = off;
    `);
  }
}

/** As before, with what paces the stream beside it. */
const claim = `
  drop function polls_claim(text, timestamptz, interval, integer);
  create function polls_claim(in_mode text, in_now timestamptz, in_lease interval, in_limit integer)
  returns table (
    id uuid, tenant_id text, connection_id uuid, name text, mode text, since timestamptz, cursor jsonb,
    due_at timestamptz, interval_seconds integer, failures integer, fence bigint, min_seconds integer,
    max_seconds integer)
  language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off as $$
  begin
    return query
      with claimed as (
        update poll_streams s set lease_until = clock_timestamp() + in_lease, fence = s.fence + 1
        where s.id in (
          select due.id from poll_streams due
          where due.mode = in_mode and due.due_at <= in_now and not due.is_resting
            and (due.lease_until is null or due.lease_until <= clock_timestamp())
          order by due.due_at limit in_limit for update skip locked)
        returning s.*)
      select c.id, c.tenant_id, c.connection_id, c.name, c.mode, c.since, c.cursor, c.due_at, c.interval_seconds,
             c.failures, c.fence, p.min_seconds, p.max_seconds
      from claimed c join pollings p on p.connection_id = c.connection_id
      order by c.due_at;
  end $$;
  revoke all on function polls_claim from public;
  grant execute on function polls_claim to tributary_app;
`;

/**
 * Writes what became of a stream's poll, lets go of it, and judges the findings whose time is over: those that a webhook
 * told of as well are fine, the others are gaps. Null, and nothing was done, when the fence is not the caller's any
 * more; else how many gaps there were. 'in_change' has those columns that change.
 */
const settle = `
  create function poll_settle(in_stream uuid, in_fence bigint, in_now timestamptz, in_grace interval, in_change jsonb)
  returns integer
  language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off as $$
  declare
    polled uuid;
    missed integer;
  begin
    update poll_streams s set
      lease_until = null,
      (due_at, interval_seconds, failures, failure, last_polled_at, progress, status) =
        (select n.due_at, n.interval_seconds, n.failures, n.failure, n.last_polled_at, n.progress, n.status
         from jsonb_populate_record(s, in_change) n)
      where s.id = in_stream and s.fence = in_fence returning s.connection_id into polled;
    if not found then
      return null;
    end if;
    with over as (
      delete from poll_findings f where f.stream_id = in_stream and f.found_at <= in_now - in_grace returning f.*)
    select count(*) into missed from over where not exists (
      select from deliveries d
      where d.connection_id = over.connection_id and d.via = 'WEBHOOK' and over.signal_id = any(d.signal_ids)
        and d.received_at between over.found_at and over.found_at + in_grace);
    if missed > 0 then
      update pollings p set gaps = p.gaps + missed where p.connection_id = polled;
    end if;
    return missed;
  end $$;
  revoke all on function poll_settle from public;
  grant execute on function poll_settle to tributary_app;
`;
