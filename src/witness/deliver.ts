import { LockMode } from '@mikro-orm/postgresql';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import { workDue } from '../core/due.js';
import type { Log } from '../core/log.js';
import type { Metrics } from '../core/metrics.js';
import type { Vault } from '../credential/vault.js';
import { type HttpClient, HttpError } from '../outbound/client.js';
import type { CheckpointKeys } from '../receipt/signing-key.js';
import { type IncidentChange, settleIncident } from './incident.js';
import { judgeSeen } from './judge.js';
import { type News, readNews } from './news.js';
import { openWitnessSecret } from './set.js';
import { type Store, tellStore } from './store.js';
import type { Judge, Told } from './told.js';
import { tellWebhook } from './webhook.js';
import { ReceiptAnchor, ReceiptWitness, type WitnessKind } from './witness.entity.js';

export interface DeliverDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly vault: Vault;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly keys: Pick<CheckpointKeys, 'list'>;
  /** Under the egress policy: the URL is a tenant's. */
  readonly client: HttpClient;
  /** The operator's witness. */
  readonly store?: Store | undefined;
}

/** One row of `receipt_anchors`, claimed. */
interface Claim {
  readonly tenant_id: string;
  readonly witness: WitnessKind;
  readonly taken_size: string | null;
  readonly attempts: number;
  readonly fence: string;
}

const LEASE_MS = 60_000;
const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 2 * 3_600_000;
/** The same as in `receipt_anchors_due`. */
const BETWEEN_MS = 10_000;

/** See ReceiptWitnesses.deliverDue. */
export function deliverDue(deps: DeliverDeps, limit: number, signal: AbortSignal): Promise<number> {
  const { db, clock, log, store } = deps;
  const kinds: WitnessKind[] = store ? ['TENANT', 'OPERATOR'] : ['TENANT'];
  return workDue<Claim>({
    async claim(room) {
      const values = [kinds, clock.now(), room, LEASE_MS / 1000];
      const { rows } = await db.doors.query<Claim>(CLAIM, values);
      return rows;
    },
    work: (claim) => deliver(deps, claim),
    failed: ({ tenant_id: tenantId, witness }, error) =>
      log.error({ err: error, tenantId, witness }, 'receipts: telling a witness broke off'),
    concurrency: limit,
    leaseMs: LEASE_MS,
    signal,
  });
}

const CLAIM = 'select * from receipt_anchors_claim($1, $2, $3, $4)';

/** What is told and not written down, because the process dies in between, is told again. */
async function deliver(deps: DeliverDeps, claim: Claim): Promise<void> {
  const { db, log, metrics } = deps;
  const { tenant_id: tenantId, witness, taken_size: takenSize } = claim;
  const { news, recipient } = await db.for({ tenantId }).transactional(async (transaction) => ({
    news: await readNews(transaction, tenantId, Number(takenSize ?? 0)),
    recipient: await transaction.findOne(ReceiptWitness, { tenantId }),
  }));
  if (!news || (witness === 'TENANT' && !recipient)) {
    await db.for({ tenantId }).nativeDelete(ReceiptAnchor, { tenantId, witness, fence: claim.fence });
    return;
  }
  const told = await tell(deps, claim, recipient, news);
  const change = await settle(deps, claim, news, told);
  metrics.witnessDeliveries.inc({ witness, outcome: told.is });
  if (change) metrics.incidents.inc({ provider: '', kind: 'RECEIPTS_ROLLED_BACK', state: change });
  if (told.is === 'conflict') {
    log.error({ tenantId, witness, conflict: told.conflict }, 'receipts: a witness saw another log');
  } else if (told.is === 'failed') {
    log.warn({ tenantId, witness, problem: told.problem }, 'receipts: a witness was not told');
  }
}

async function tell(
  deps: DeliverDeps,
  { tenant_id: tenantId, witness }: Claim,
  recipient: ReceiptWitness | null,
  news: News,
): Promise<Told> {
  const judge: Judge = (seen) => judgeSeen(deps, tenantId, news.origin, seen);
  try {
    if (witness === 'OPERATOR' && deps.store) return await tellStore(deps.store, news, judge);
    if (!recipient) throw new Error('nobody to tell');
    const secret = await openWitnessSecret(deps.vault, recipient);
    return await tellWebhook(deps, { id: recipient.id, url: recipient.url, secret }, news, judge);
  } catch (error) {
    if (error instanceof HttpError) return { is: 'failed', problem: error.message };
    throw error;
  }
}

/** Writes down what came of it, unless the witness is another one meanwhile or another process has taken over. */
async function settle(
  { db, clock }: DeliverDeps,
  { tenant_id: tenantId, witness, fence, attempts }: Claim,
  news: News,
  told: Told,
): Promise<IncidentChange> {
  return db.for({ tenantId }).transactional(async (transaction) => {
    const now = clock.now();
    const lock = { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { witness: 'asc' } } as const;
    const anchors = await transaction.find(ReceiptAnchor, { tenantId }, lock);
    const anchor = anchors.find((one) => one.witness === witness && one.fence === fence);
    if (!anchor) return undefined;
    Object.assign(anchor, { leaseUntil: null }, outcomeOf(anchor, news, told, attempts, now));
    await transaction.flush();
    return settleIncident(transaction, tenantId, anchors, now);
  });
}

function outcomeOf(
  anchor: ReceiptAnchor,
  { size }: News,
  told: Told,
  attempts: number,
  now: Date,
): Partial<ReceiptAnchor> {
  if (told.is === 'taken') {
    const dueAt = anchor.size > size ? new Date(now.getTime() + BETWEEN_MS) : null;
    const fine = { problem: null, conflict: null, conflictAt: null };
    return { takenSize: size, takenAt: now, dueAt, attempts: 0, ...fine };
  }
  const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempts - 1));
  const dueAt = new Date(now.getTime() + wait);
  if (told.is === 'failed') {
    const { problem, knownSize } = told;
    return { dueAt, problem, ...(knownSize !== undefined && { takenSize: knownSize }) };
  }
  return { dueAt, problem: null, conflict: told.conflict, conflictAt: anchor.conflictAt ?? now };
}
