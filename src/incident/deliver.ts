import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import { workDue } from '../core/due.js';
import type { Log } from '../core/log.js';
import type { Metrics } from '../core/metrics.js';
import type { Vault } from '../credential/vault.js';
import { type HttpClient, HttpError } from '../outbound/client.js';
import { IncidentSink } from './incident.entity.js';
import { signedHeaders } from './sign.js';
import { openSinkSecret } from './sink.js';

export interface DeliverDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly vault: Vault;
  /** Under the egress policy: the URL is a tenant's. */
  readonly client: HttpClient;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** One row of `incident_deliveries`, claimed. */
interface Delivery {
  readonly id: string;
  readonly tenant_id: string;
  readonly body: string;
  readonly created_at: Date;
  readonly attempts: number;
  readonly fence: string;
}

const LEASE_MS = 30_000;
const DEADLINE_MS = 5_000;
const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 2 * 3_600_000;
const GIVE_UP_AFTER_MS = 24 * 3_600_000;

/** See IncidentService.deliverDue. */
export function deliverDue(deps: DeliverDeps, limit: number, signal: AbortSignal): Promise<number> {
  const { db, clock, log } = deps;
  return workDue<Delivery>({
    async claim(room) {
      const values = [clock.now(), room, LEASE_MS / 1000];
      const { rows } = await db.doors.query<Delivery>(CLAIM, values);
      return rows;
    },
    work: (delivery) => deliver(deps, delivery),
    failed: ({ id }, error) => log.error({ err: error, id }, 'incident: a delivery broke off'),
    concurrency: limit,
    leaseMs: LEASE_MS,
    signal,
  });
}

const CLAIM = 'select * from incident_deliveries_claim($1, $2, $3)';

/** What is sent and not written down, because the process dies in between, is sent again under the same id. */
async function deliver(deps: DeliverDeps, delivery: Delivery): Promise<void> {
  const { db, clock, log, metrics } = deps;
  const { id, tenant_id: tenantId, attempts } = delivery;
  const sink = await db.for({ tenantId }).findOne(IncidentSink, { tenantId });
  const problem = sink ? await send(deps, sink, delivery) : 'There is no sink any more.';
  const now = clock.now();
  const dueAt = new Date(now.getTime() + waitAfter(attempts));
  const isOver = !sink || dueAt.getTime() - delivery.created_at.getTime() > GIVE_UP_AFTER_MS;
  const outcome = problem === null ? 'delivered' : isOver ? 'given_up' : 'failed';
  const settledAt = outcome === 'failed' ? null : now;
  await db.for({ tenantId }).execute(SETTLE, [dueAt, problem, settledAt, id, delivery.fence]);
  metrics.incidentDeliveries.inc({ outcome });
  if (problem !== null) log.warn({ id, tenantId, attempts, outcome, problem }, 'incident: not delivered');
}

const SETTLE = `
  update incident_deliveries set due_at = ?, lease_until = null, last_problem = ?, settled_at = ?
  where id = ? and fence = ?`;

/** Answers what went wrong; null when the sink took it. */
async function send(
  { vault, client, clock }: DeliverDeps,
  sink: IncidentSink,
  { id, body }: Delivery,
): Promise<string | null> {
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'Tributary',
    ...signedHeaders(await openSinkSecret(vault, sink), id, body, clock.now()),
  };
  try {
    const url = new URL(sink.url);
    const { status } = await client.send({ method: 'POST', url, headers, body, deadlineMs: DEADLINE_MS });
    return status >= 200 && status < 300 ? null : `The sink answered ${status}.`;
  } catch (error) {
    if (error instanceof HttpError) return error.message;
    throw error;
  }
}

/** Five seconds, ten, twenty and so on, two hours at most. */
function waitAfter(attempts: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempts - 1));
}
