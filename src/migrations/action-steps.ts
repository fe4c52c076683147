import { Migration } from '@mikro-orm/migrations';

/**
 * The steps of an action that its caller waits for, each a function: one prepared message in place of three or four,
 * whose statements the database plans once for a session and not each time. They hold no rule but the fences, which
 * are conditions on the rows; everything else is decided in src/action.
 *
 * They run as whoever calls them. So row-level security holds in them as everywhere, under the tenant that they set
 * for their own transaction. No plan may scan a table: a session keeps the plan it made when the tables were small.
 */
export class ActionSteps extends Migration {
  override name = 'action-steps';

  override up(): void {
    this.addSql(connectionRead);
    this.addSql(actionBegin);
    this.addSql(actionSettle);
    this.addSql(`
      revoke all on function connection_read, action_begin, action_settle from public;
      grant execute on function connection_read, action_begin, action_settle to tributary_app;
    `);
  }
}

const connectionRead = `
  create function connection_read(in_tenant text, in_id uuid) returns setof connections
  language plpgsql set enable_seqscan = off as $$
  begin
    perform set_config('tributary.tenant', in_tenant, true);
    return query select * from connections where id = in_id and status <> 'DELETED';
  end $$;
`;

/** Answers what the clock here says of it; no row where the key stands for an action already. */
const actionBegin = `
  create function action_begin(in_tenant text, in_id uuid, in_connection uuid, in_provider text, in_verb text,
                               in_sealed bytea, in_hash bytea, in_key text, in_correlation text, in_traceparent text,
                               in_actor text, in_owner uuid, in_now timestamptz)
  returns table (began_at timestamptz, held_until timestamptz)
  language plpgsql as $$
  begin
    perform set_config('tributary.tenant', in_tenant, true);
    return query
      insert into actions (id, tenant_id, connection_id, provider_id, verb, sealed_input, input_hash, idempotency_key,
                           correlation_id, traceparent, actor, status, attempts, lease_owner, lease_until,
                           effect_unknown, nonce, redrives, created_at)
        values (in_id, in_tenant, in_connection, in_provider, in_verb, in_sealed, in_hash, in_key, in_correlation,
                in_traceparent, in_actor, 'RUNNING', 1, in_owner, in_now, true, 0, 0, in_now)
        on conflict on constraint actions_tenant_id_idempotency_key_key do nothing
        returning actions.began_at, actions.held_until;
  end $$;
`;

/**
 * What became of it, and its receipt if it has one. Answers false, and writes nothing, when the lease has passed to
 * somebody else. With in_frees, nothing of it is on its way any more.
 */
const actionSettle = `
  create function action_settle(in_tenant text, in_id uuid, in_owner uuid, in_status text, in_attempts integer,
                                in_result jsonb, in_failure jsonb, in_effect_unknown boolean, in_settled timestamptz,
                                in_until timestamptz, in_frees boolean, in_receipt jsonb)
  returns boolean
  language plpgsql set enable_seqscan = off as $$
  begin
    perform set_config('tributary.tenant', in_tenant, true);
    update actions
      set status = in_status, attempts = in_attempts, result = in_result, failure = in_failure,
          effect_unknown = in_effect_unknown, settled_at = in_settled, lease_owner = null, lease_until = in_until,
          held_until = case when in_frees then null else held_until end
      where id = in_id and lease_owner = in_owner;
    if not found then return false; end if;
    if in_receipt is not null then
      insert into receipts (id, tenant_id, connection_id, provider_id, action_id, operation, outcome, actor,
                            correlation_id, trace_id, request, result, occurred_at, leaf, salt)
        select r.id, in_tenant, r.connection_id, r.provider_id, r.action_id, r.operation, r.outcome, r.actor,
               r.correlation_id, r.trace_id, r.request, r.result, r.occurred_at, r.leaf, r.salt
        from jsonb_to_record(in_receipt) as r(
               id uuid, connection_id uuid, provider_id text, action_id uuid, operation text, outcome text, actor text,
               correlation_id text, trace_id text, request jsonb, result jsonb, occurred_at timestamptz, leaf text,
               salt bytea);
    end if;
    return true;
  end $$;
`;
