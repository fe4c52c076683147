import { z } from 'zod';
import { Connection } from '../connection/connection.entity.js';
import type { Caller } from '../core/caller.js';
import type { EntityManager } from '../core/db.js';
import { invalidInput, notFound } from '../core/errors.js';
import type { Metrics } from '../core/metrics.js';
import {
  type Found,
  type List,
  type Page,
  type PageRequest,
  merge,
  newestFirst,
  readRows,
  spanOf,
  toPage,
  toUuid,
} from '../core/page.js';
import { requireInput } from '../core/schema.js';
import { Delivery } from '../signal/delivery.entity.js';
import { Action } from './action.entity.js';
import type { ExecuteDeps } from './execute.js';
import { DEAD, type Redriven, redriveAction } from './redrive.js';

export const deadLetterKinds = ['DELIVERY', 'ACTION'] as const;
export type DeadLetterKind = (typeof deadLetterKinds)[number];

/** Something that came in or shall go out, and that nothing will be done about by itself. Never its content. */
export interface DeadLetter {
  readonly kind: DeadLetterKind;
  /** Of the delivery or the action. */
  readonly id: string;
  readonly connectionId: string;
  readonly providerId: string;
  /** The provider's type of the event, or the action's verb. */
  readonly type: string;
  readonly reason: string;
  readonly attempts: number;
  /** When the delivery came or the action was asked for. */
  readonly occurredAt: Date;
}

/** Which ones. Every given field must match. */
export interface DeadLetterFilter {
  readonly kind?: DeadLetterKind;
  readonly connectionId?: string;
  readonly providerId?: string;
  /** Occurred at or after. */
  readonly since?: Date;
  /** Occurred before. */
  readonly until?: Date;
}

export interface RedriveCommand {
  /** Either these … */
  readonly ids?: readonly string[];
  /** … or all that match, oldest first, as many as `first` after the cursor. */
  readonly filter?: DeadLetterFilter;
  readonly first?: number;
  readonly after?: string;
}

export interface RedrivenLetter extends Redriven {
  readonly kind: DeadLetterKind;
  readonly id: string;
}

export interface RedriveResult {
  readonly letters: readonly RedrivenLetter[];
  /** Where to go on with the same filter; null when all that match have been tried. */
  readonly endCursor: string | null;
}

export interface DeadLetterService {
  /** In the order of their ids, which is that of time; newest first. */
  list(caller: Caller, filter: DeadLetterFilter, page: PageRequest): Promise<Page<DeadLetter>>;
  /**
   * Tries them again: deliveries are normalised by today's connector, actions attempted under their own id, and
   * looked into first where they may have had their effect. Each leaves a receipt. Throws INVALID_INPUT,
   * INVALID_CURSOR, and NOT_FOUND for an id that is nothing of the caller's; then nothing was tried.
   */
  redrive(caller: Caller, command: RedriveCommand): Promise<RedriveResult>;
}

export interface DeadLettersDeps extends ExecuteDeps {
  readonly metrics: Metrics;
  readonly deliveries: { redrive(caller: Caller, id: string): Promise<Redriven> };
}

const LIST = newestFirst('deadLetters');
const OLDEST_FIRST: List<'id'> = { ...LIST, order: 'asc' };
const WAIT_SECONDS = 10;
const MAX_REDRIVES = 100;

const redriveCommand = z.strictObject({
  ids: z.array(z.string()).min(1).max(MAX_REDRIVES, `must be at most ${MAX_REDRIVES}`).optional(),
  filter: z.custom<DeadLetterFilter>().optional(),
  first: z.int().min(1).max(MAX_REDRIVES, `must be at most ${MAX_REDRIVES}`).default(20),
  after: z.string().optional(),
});

/** What is tried, before it is. */
type Target = Pick<DeadLetter, 'kind' | 'id' | 'providerId'>;

export function createDeadLetterService(deps: DeadLettersDeps): DeadLetterService {
  const { db, metrics, deliveries } = deps;

  async function redriveOne(caller: Caller, { kind, id, providerId }: Target): Promise<RedrivenLetter> {
    const { outcome, reason } =
      kind === 'DELIVERY'
        ? await deliveries.redrive(caller, id)
        : await redriveAction(deps, caller, id, WAIT_SECONDS);
    metrics.redrives.inc({ provider: providerId, kind, outcome });
    return { kind, id, outcome, reason };
  }

  /** Actions wait for their providers side by side; deliveries come one by one, in order, as bodies may be large. */
  async function redriveAll(caller: Caller, targets: readonly Target[]): Promise<RedrivenLetter[]> {
    let before: Promise<unknown> = Promise.resolve();
    return Promise.all(
      targets.map((target) => {
        if (target.kind === 'ACTION') return redriveOne(caller, target);
        const redriven = before.then(() => redriveOne(caller, target));
        before = redriven;
        return redriven;
      }),
    );
  }

  return {
    list: (caller, filter, page) => find(db.for(caller), filter, LIST, page),
    async redrive(caller, asked) {
      const { ids, filter, first, after } = requireInput(redriveCommand, asked);
      if (ids && !filter && after === undefined) {
        const targets = await requireTargets(db.for(caller), [...new Set(ids)]);
        return { letters: await redriveAll(caller, targets), endCursor: null };
      }
      if (ids || !filter) throw invalidInput('ids', 'give either this or filter');
      if (filter.connectionId !== undefined) await requireConnection(db.for(caller), filter.connectionId);
      const page = { first, after };
      const { nodes, pageInfo } = await find(db.for(caller), filter, OLDEST_FIRST, page, { purgedAt: null });
      const letters = await redriveAll(caller, nodes);
      return { letters, endCursor: pageInfo.hasNextPage ? pageInfo.endCursor : null };
    },
  };
}

/** Of both kinds in one order. Ids are UUIDv7 on both sides, so that it is the order of time. */
async function find(
  em: EntityManager,
  { kind, connectionId, providerId, since, until }: DeadLetterFilter,
  list: List<'id'>,
  page: PageRequest,
  ofDeliveries: object = {},
): Promise<Page<DeadLetter>> {
  const where = {
    ...(connectionId !== undefined && { connectionId: toUuid(connectionId) }),
    ...(providerId !== undefined && { providerId }),
  };
  const during = { ...(since && { $gte: since }), ...(until && { $lt: until }) };
  const when = (column: string) => ((since ?? until) ? { [column]: during } : {});
  const none = { rows: [] };
  const failed = {
    leads: [{ failure: { $ne: null } }],
    rest: { ...where, ...when('receivedAt'), ...ofDeliveries },
  };
  const deliveries: Found<Delivery> =
    kind === 'ACTION' ? none : await readRows(em, Delivery, list, failed, page);
  const over = { leads: [{ status: { $in: [...DEAD] } }], rest: { ...where, ...when('createdAt') } };
  const actions: Found<Action> = kind === 'DELIVERY' ? none : await readRows(em, Action, list, over, page);
  const { order } = spanOf(list, page);
  const found = [
    { ...deliveries, rows: deliveries.rows.map(ofDelivery) },
    { ...actions, rows: actions.rows.map(ofAction) },
  ];
  return toPage(
    list,
    merge(found, ({ id }) => id, order),
    page,
  );
}

function ofDelivery(delivery: Delivery): DeadLetter {
  const { id, connectionId, providerId, eventType: type, attempts, receivedAt: occurredAt } = delivery;
  return {
    kind: 'DELIVERY',
    id,
    connectionId,
    providerId,
    type,
    reason: delivery.failure ?? '',
    attempts,
    occurredAt,
  };
}

function ofAction(action: Action): DeadLetter {
  const { id, connectionId, providerId, verb: type, attempts, createdAt: occurredAt } = action;
  const reason = action.failure?.message ?? '';
  return { kind: 'ACTION', id, connectionId, providerId, type, reason, attempts, occurredAt };
}

async function requireTargets(em: EntityManager, ids: readonly string[]): Promise<Target[]> {
  const where = { id: { $in: ids.map(toUuid) } };
  const deliveries = await em.find(Delivery, where);
  const actions = await em.find(Action, where);
  const known = new Map<string, Target>([
    ...deliveries.map(({ id, providerId }) => [id, { kind: 'DELIVERY', id, providerId }] as const),
    ...actions.map(({ id, providerId }) => [id, { kind: 'ACTION', id, providerId }] as const),
  ]);
  return ids.map((id) => {
    const target = known.get(id.toLowerCase());
    if (!target) throw notFound('dead letter');
    return target;
  });
}

async function requireConnection(em: EntityManager, id: string): Promise<void> {
  if ((await em.count(Connection, { id: toUuid(id) })) === 0) throw notFound('connection');
}
