import { z } from 'zod';
import { Connection } from '../connection/connection.entity.js';
import type { Caller } from '../core/caller.js';
import type { Clock } from '../core/clock.js';
import type { Db, EntityManager } from '../core/db.js';
import { TributaryError, invalidInput, notFound } from '../core/errors.js';
import { fromCursor, toCursor, toUuid } from '../core/page.js';
import { requireInput } from '../core/schema.js';
import { addReceipt } from '../receipt/log.js';
import { Delivery } from '../signal/delivery.entity.js';
import { type SignalChange, type SignalDiff, diffSignals } from '../signal/diff.js';
import type { SignalRecord } from '../signal/envelope.js';
import { type DeliveryRevision, reviseJournal } from '../signal/revise.js';
import { Signal } from '../signal/signal.entity.js';
import { type RereadDeps, reread } from './reread.js';
import { type DeliveryState, lockUnchanged, stateOf } from './unchanged.js';

const MAX_DELIVERIES = 500;

const replayCommand = z.strictObject({
  connectionId: z.string(),
  from: z.date(),
  to: z.date(),
  dryRun: z.boolean().default(true),
  first: z.int().min(1).max(MAX_DELIVERIES, `must be at most ${MAX_DELIVERIES}`).default(100),
  after: z.string().nullish(),
});

/** Which deliveries are normalised again: those of a connection that came from `from` on and before `to`. */
export type ReplayCommand = z.input<typeof replayCommand>;
type Checked = z.output<typeof replayCommand>;

export interface Replayed {
  /** How many were normalised. */
  readonly deliveries: number;
  readonly changes: readonly SignalChange[];
  /** Those of which today's connector makes nothing; their signals stay as they are. */
  readonly failures: readonly { readonly deliveryId: string; readonly reason: string }[];
  /** Where to go on; null when all have been through. */
  readonly endCursor: string | null;
}

export interface ReplayDeps extends RereadDeps {
  readonly db: Db;
  readonly clock: Clock;
}

/** What a call has found so far. */
interface Findings {
  readonly changes: SignalChange[];
  readonly records: SignalRecord[];
  readonly revisions: DeliveryRevision[];
  readonly failures: Replayed['failures'][number][];
  /** A second delivery of the same event adds nothing. */
  readonly added: Set<string>;
  /** How the deliveries were found. */
  readonly seen: DeliveryState[];
}

/** See DeliveryService.replay. */
export async function replayDeliveries(
  deps: ReplayDeps,
  caller: Caller,
  asked: ReplayCommand,
): Promise<Replayed> {
  const checked = requireInput(replayCommand, asked);
  if (checked.from >= checked.to) throw invalidInput('to', 'must be later than from');
  const connection = await deps.db.for(caller).findOne(Connection, {
    id: toUuid(checked.connectionId),
    status: { $ne: 'DELETED' },
  });
  if (!connection) throw notFound('connection');
  const found = await findPage(deps.db.for(caller), checked);
  const page = found.slice(0, checked.first);
  const findings = checked.dryRun
    ? await examine(deps, deps.db.for(caller), page, connection)
    : await apply(deps, caller, connection, checked, page);
  const last = found.length > page.length ? page.at(-1) : undefined;
  const { changes, failures } = findings;
  return {
    deliveries: page.length,
    changes,
    failures,
    endCursor: last ? toCursor(LIST, placeOf(last)) : null,
  };
}

const LIST = 'replay';
/** Milliseconds since 1970, and the delivery's id: several may come in one millisecond. */
const PLACE = /^\d{1,15}\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function placeOf({ receivedAt, id }: Delivery): string {
  return `${receivedAt.getTime()}/${id}`;
}

/** In the order they came, without their bodies, and one more than asked for where there is one. */
function findPage(em: EntityManager, { connectionId, from, to, first, after }: Checked): Promise<Delivery[]> {
  const [time, id = ''] = after ? fromCursor(LIST, after, PLACE).split('/') : [];
  const last = new Date(Number(time));
  const later =
    time === undefined ? {} : { $or: [{ receivedAt: { $gt: last } }, { receivedAt: last, id: { $gt: id } }] };
  const where = { connectionId, receivedAt: { $gte: from, $lt: to }, purgedAt: null, ...later };
  return em.find(Delivery, where, { orderBy: { receivedAt: 'asc', id: 'asc' }, limit: first + 1 });
}

/**
 * Normalises one after the other, since bodies may be large, and holds each against what is stored. Never within a
 * transaction: a tenant's mapping may take its time, and would take a connection and locks from everybody else.
 */
async function examine(
  deps: ReplayDeps,
  em: EntityManager,
  page: readonly Delivery[],
  { settings }: Connection,
): Promise<Findings> {
  const findings: Findings = {
    changes: [],
    records: [],
    revisions: [],
    failures: [],
    added: new Set(),
    seen: [],
  };
  for (const { id } of page) {
    const delivery = await em.findOneOrFail(
      Delivery,
      { id },
      { populate: ['body'], disableIdentityMap: true },
    );
    findings.seen.push(stateOf(delivery));
    const made = await reread(deps, delivery, settings);
    if (made.failure === null) add(findings, delivery, await diff(em, delivery, made.records), made.records);
    else findings.failures.push({ deliveryId: id, reason: made.failure });
  }
  return findings;
}

async function diff(
  em: EntityManager,
  { id, signalIds }: Delivery,
  records: readonly SignalRecord[],
): Promise<SignalDiff> {
  const ids = [...new Set([...records.map((record) => record.id), ...signalIds])];
  const stored = await em.find(Signal, { id: { $in: ids } }, { disableIdentityMap: true });
  return diffSignals(id, records, stored);
}

function add(
  { changes, records, revisions, added }: Findings,
  { id, failure, attempts, signalIds }: Delivery,
  found: SignalDiff,
  made: readonly SignalRecord[],
): void {
  const ids = made.map((record) => record.id);
  const isNew = (signalId: string): boolean => !added.has(signalId);
  changes.push(...found.changes.filter(({ signalId }) => isNew(signalId)));
  records.push(...found.records.filter((record) => isNew(record.id)));
  for (const { kind, signalId } of found.changes) if (kind === 'ADDED') added.add(signalId);
  const isSame = failure === null && ids.join() === signalIds.join();
  if (found.records.length > 0 || !isSame) {
    revisions.push({ id, failure: null, attempts: attempts + 1, signalIds: ids });
  }
}

/** Somebody else's replay or redrive may come between reading and writing: then it is read anew. */
async function apply(
  deps: ReplayDeps,
  caller: Caller,
  connection: Connection,
  checked: Checked,
  page: readonly Delivery[],
): Promise<Findings> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const findings = await examine(deps, deps.db.for(caller), page, connection);
    if (await write(deps, caller, connection, checked, findings)) return findings;
  }
  throw new TributaryError(
    'CONFLICT',
    'Others go on normalising these deliveries. Nothing was written; replay again when they are through.',
  );
}

const MAX_TRIES = 5;

/** False: a delivery is not any more as it was found, and nothing was written. */
function write(
  deps: ReplayDeps,
  caller: Caller,
  connection: Connection,
  checked: Checked,
  findings: Findings,
): Promise<boolean> {
  const { revisions, records, seen } = findings;
  return deps.db.for(caller).transactional(async (transaction) => {
    if (!(await lockUnchanged(transaction, seen))) return false;
    const now = deps.clock.now();
    addReceipt(transaction, toReceipt(caller, connection, checked, findings, now));
    if (revisions.length > 0) await reviseJournal(transaction, revisions, records, now);
    return true;
  });
}

function toReceipt(
  caller: Caller,
  { id: connectionId, tenantId, providerId }: Connection,
  { from, to }: Checked,
  { changes, failures, seen }: Findings,
  now: Date,
) {
  const countOf = (kind: SignalChange['kind']): number =>
    changes.filter((change) => change.kind === kind).length;
  return {
    tenantId,
    connectionId,
    providerId,
    operation: `integration.signal.${providerId}.replay`,
    outcome: 'SUCCESS' as const,
    actor: caller.subject,
    correlationId: caller.correlationId,
    request: { from: from.toISOString(), to: to.toISOString() },
    result: {
      deliveries: seen.length,
      added: countOf('ADDED'),
      changed: countOf('CHANGED'),
      removed: countOf('REMOVED'),
      failed: failures.length,
    },
    occurredAt: now,
  };
}
