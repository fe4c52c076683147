import { Migration } from '@mikro-orm/migrations';

/**
 * Deliveries that can be normalised again, signals that can be told anew, actions that can be attempted again, and
 * bodies that go when their time is over.
 */
export class Replay extends Migration {
  override name = 'replay';

  override up(): void {
    this.addSql(`
      alter table deliveries
        alter body drop not null,
        add attempts integer not null default 1,
        -- When the body was deleted; everything else stays, above all the event's id, which is the replay guard.
        add purged_at timestamptz(3);
      create index deliveries_dead on deliveries (tenant_id, id) where failure is not null;
      create index deliveries_received on deliveries (connection_id, received_at, id);
      create index deliveries_kept on deliveries (received_at) where body is not null;
      alter table signals
        add revision integer not null default 0,
        add revised_at timestamptz(3);
    `);
    // Of what was under way it is not known, so it is looked into first. A redriven action has a receipt each time.
    this.addSql(`
      alter table actions
        add effect_unknown boolean not null default true,
        add nonce integer not null default 0,
        add redrives integer not null default 0,
        add redriven_at timestamptz(3);
      update actions set effect_unknown = false where status in ('SUCCEEDED', 'FAILED');
      create index actions_dead on actions (tenant_id, id) where status in ('FAILED', 'UNCONFIRMED');
      alter table receipts drop constraint receipts_action_id_key;
      create index receipts_action on receipts (action_id) where action_id is not null;
    `);
    this.addSql(journalRevise);
    this.addSql(deliveriesPurge);
  }
}

/**
 * Writes what deliveries were normalised to anew: signals that were not there are appended, those that were get a new
 * version under the same id. Either way at the end of the feed, numbered under the lock of `journal_append`, so that a
 * reader who has seen N has still seen everything below N. A signal that another delivery brought stays that one's.
 *
 * It crosses no tenants: what is not of the transaction's tenant is left alone. The caller holds the deliveries' rows
 * locked, and this is the last thing its transaction does.
 */
const journalRevise = `
  create function journal_revise(in_deliveries jsonb, in_signals jsonb, in_now timestamptz) returns void
  language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off as $$
  declare
    tenant text := current_setting('tributary.tenant', true);
    newest bigint;
  begin
    perform pg_advisory_xact_lock(7236001);
    with written as (
      insert into signals as known (sequence, id, tenant_id, connection_id, provider_id, delivery_id, environment, kind,
                                    type, occurred_at, ingested_at, correlation_id, trace_id, span_id, repository,
                                    schema_version, content)
        select nextval('signal_sequence'), s.id, s.tenant_id, s.connection_id, s.provider_id, s.delivery_id,
               s.environment, s.kind, s.type, s.occurred_at, s.ingested_at, s.correlation_id, s.trace_id, s.span_id,
               s.repository, s.schema_version, s.content
        from (
          select s.*
          from jsonb_to_recordset(in_signals) as s(
                 index integer, id uuid, tenant_id text, connection_id uuid, provider_id text, delivery_id uuid,
                 environment text, kind text, type text, occurred_at timestamptz, ingested_at timestamptz,
                 correlation_id text, trace_id text, span_id text, repository text, schema_version text,
                 content jsonb)
          where s.tenant_id = tenant
          order by s.index
        ) s
        on conflict (id) do update set
          sequence = excluded.sequence, kind = excluded.kind, occurred_at = excluded.occurred_at,
          trace_id = excluded.trace_id, span_id = excluded.span_id, repository = excluded.repository,
          schema_version = excluded.schema_version, content = excluded.content,
          revision = known.revision + 1, revised_at = in_now
        where known.tenant_id = tenant and known.delivery_id = excluded.delivery_id
        returning known.sequence)
    select max(written.sequence) from written into newest;

    update deliveries known set failure = d.failure, attempts = d.attempts, signal_ids = d.signal_ids
      from jsonb_to_recordset(in_deliveries) as d(id uuid, failure text, attempts integer, signal_ids uuid[])
      where known.id = d.id and known.tenant_id = tenant;

    if newest is not null then
      perform pg_notify('tributary_signals', newest::text);
    end if;
  end $$;
  revoke all on function journal_revise from public;
  grant execute on function journal_revise to tributary_app;
`;

/** Crosses tenants by design: it takes bodies only, oldest first, and answers how many. */
const deliveriesPurge = `
  create function deliveries_purge(in_before timestamptz, in_now timestamptz, in_limit integer) returns integer
  language plpgsql security definer set search_path = public, pg_temp as $$
  declare
    purged integer;
  begin
    with old as materialized (
      select id from deliveries where body is not null and received_at < in_before
      order by received_at limit in_limit for update skip locked)
    update deliveries set body = null, purged_at = in_now from old where deliveries.id = old.id;
    get diagnostics purged = row_count;
    return purged;
  end $$;
  revoke all on function deliveries_purge from public;
  grant execute on function deliveries_purge to tributary_app;
`;
