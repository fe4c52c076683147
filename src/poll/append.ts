import { createHash } from 'node:crypto';
import {
  type Json,
  type JsonObject,
  MAX_POLLED_ID,
  type PollPage,
  type PolledEvent,
} from '../connector/index.js';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import type { Metrics } from '../core/metrics.js';
import { toStorableJson } from '../core/storable.js';
import type { Bodies } from '../signal/body.js';
import { Delivery } from '../signal/delivery.entity.js';
import {
  type BodilessEntry,
  type EntryDeps,
  type EventPlace,
  type Normalizing,
  sealEntry,
  toBodilessEntry,
  toDeadLetter,
} from '../signal/entry.js';
import { type JournalEntry, refusalOf, toAppendArguments } from '../signal/journal.js';
import { redact } from '../signal/redact.js';
import { Signal } from '../signal/signal.entity.js';
import type { ClaimedStream } from './poll.entity.js';

export interface AppendDeps extends EntryDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly bodies: Bodies;
  readonly metrics: Metrics;
}

/** A page that is to be committed as a whole. */
export interface PageAppend {
  readonly stream: ClaimedStream;
  readonly page: PollPage;
  /** Where the page begins: the stream's cursor until all of it is stored. */
  readonly cursor: Json;
  /** Whether webhooks should have told of them as well. */
  readonly isWatched: boolean;
  /** The connection's. */
  readonly settings: JsonObject;
}

/** What a polled delivery's id begins with: no webhook's does. */
const POLLED = 'poll:';

/**
 * Appends a page to the journal and moves the stream's cursor behind it, in one transaction. An event that can't be
 * normalised, is misnamed by the connector, or is refused by the database becomes a dead letter and keeps no other
 * back. Answers how many signals were new, or null when the stream is not ours any more: then the cursor stays.
 */
export async function appendPage(
  deps: AppendDeps,
  connector: Normalizing,
  append: PageAppend,
): Promise<number | null> {
  const entries = await toEntries(deps, connector, append, deps.clock.now());
  const fresh = await appendEntries(deps, append, entries);
  if (fresh !== null) countDeadLetters(deps, entries);
  return fresh;
}

/** Almost always at once. Where the database refuses that, one by one, so that only what it refuses is set apart. */
async function appendEntries(
  deps: AppendDeps,
  append: PageAppend,
  entries: readonly JournalEntry[],
): Promise<number | null> {
  const { nextCursor } = append.page;
  try {
    return await write(deps, append, nextCursor, entries);
  } catch (error) {
    if (entries.length === 0 || refusalOf(error) === undefined) throw error;
  }
  let fresh = 0;
  for (const entry of entries) {
    const found = await appendOne(deps, append, entry);
    if (found === null) return null;
    fresh += found;
  }
  // The cursor comes last: who dies before reads the page again, and what is stored vanishes by its identity.
  return (await write(deps, append, nextCursor, [])) === null ? null : fresh;
}

async function appendOne(deps: AppendDeps, append: PageAppend, entry: JournalEntry): Promise<number | null> {
  try {
    return await write(deps, append, append.cursor, [entry]);
  } catch (error) {
    const refusal = refusalOf(error);
    if (entry.delivery.failure !== undefined || refusal === undefined) throw error;
    const { connection_id: connectionId, event_id: eventId } = entry.delivery;
    deps.log.error({ connectionId, eventId, refusal }, 'a polled event was refused by the database');
    deps.metrics.deadLetters.inc({ provider: entry.delivery.provider_id });
    return write(deps, append, append.cursor, [toDeadLetter(entry, refusal)]);
  }
}

async function write(
  { db, clock }: AppendDeps,
  { stream, page, isWatched }: PageAppend,
  cursor: Json,
  entries: readonly JournalEntry[],
): Promise<number | null> {
  const { rows } = await db.doors.query<{ fresh: number | null }>({
    name: 'poll_append',
    text: 'select poll_append($1, $2, $3, $4::jsonb, $5, $6, $7::jsonb, $8::jsonb, $9) as fresh',
    values: [
      stream.id,
      stream.fence,
      clock.now(),
      toStorableJson(cursor),
      page.progress ?? null,
      isWatched,
      ...toAppendArguments(entries),
    ],
  });
  return rows[0]?.fresh ?? null;
}

function countDeadLetters({ metrics }: AppendDeps, entries: readonly JournalEntry[]): void {
  for (const { delivery } of entries) {
    if (delivery.failure !== undefined) metrics.deadLetters.inc({ provider: delivery.provider_id });
  }
}

/** Of what overlapping polls and webhooks brought before, nothing is sealed and sent again. */
async function toEntries(
  deps: AppendDeps,
  connector: Normalizing,
  { stream, page, settings }: PageAppend,
  receivedAt: Date,
): Promise<readonly JournalEntry[]> {
  const place = { ...stream, settings };
  const made: OpenEntry[] = [];
  // One after the other: a mapping’s evaluations would else wait for each other in numbers.
  for (const polled of page.events) made.push(await toEntry(deps, connector, place, polled, receivedAt));
  const fresh = await withoutKnown(deps.db, stream, made);
  return Promise.all(
    fresh.map(({ body, ...entry }) => sealEntry(deps.bodies, entry, Buffer.from(JSON.stringify(body)))),
  );
}

type OpenEntry = BodilessEntry & { readonly body: unknown };

async function toEntry(
  deps: AppendDeps,
  connector: Normalizing,
  place: EventPlace,
  polled: PolledEvent,
  receivedAt: Date,
): Promise<OpenEntry> {
  const problem = problemOf(polled);
  const id = `${POLLED}${problem === undefined ? polled.id : nameFor(polled)}`;
  // Before anything is made of it, as with what comes by webhook.
  const body = redact(polled.body, connector.manifest.redact);
  const event = { ...polled, id, body, receivedAt };
  const entry = await toBodilessEntry(deps, connector, place, event, JSON_TYPE);
  const made = { ...entry, delivery: { ...entry.delivery, via: 'POLLING' as const }, body };
  return problem === undefined ? made : toDeadLetter(made, problem);
}

const JSON_TYPE = 'application/json';

/** What the connector can't read, or misnames by a bug, must not keep back the others of its page. */
function problemOf({ id, problem }: PolledEvent): string | undefined {
  if (problem !== undefined) return problem;
  if (id.length >= 1 && id.length <= MAX_POLLED_ID) return undefined;
  return `A polled event’s id must have 1 to ${MAX_POLLED_ID} characters, not ${id.length}.`;
}

/** The same for the same event, so that it is one dead letter however often it is found. */
function nameFor({ id, body }: PolledEvent): string {
  return `sha256:${createHash('sha256')
    .update(JSON.stringify([id, body]))
    .digest('hex')}`;
}

/** Without those whose signals are all there, and those that are kept as dead letters already. */
async function withoutKnown(
  db: Db,
  stream: ClaimedStream,
  entries: readonly OpenEntry[],
): Promise<readonly OpenEntry[]> {
  const signals = await findSignals(db, stream, entries);
  const left = entries.filter(
    ({ delivery, signals: made }) =>
      delivery.failure !== undefined || !made.every(({ id }) => signals.has(id)),
  );
  const events = await findEvents(db, stream, left);
  return left.filter(({ delivery }) => !events.has(delivery.event_id));
}

async function findSignals(
  db: Db,
  { tenantId }: ClaimedStream,
  entries: readonly BodilessEntry[],
): Promise<ReadonlySet<string>> {
  const ids = entries.flatMap(({ signals }) => signals.map(({ id }) => id));
  if (ids.length === 0) return new Set();
  const rows = await db.for({ tenantId }).find(Signal, { id: { $in: ids } }, { fields: ['id'] });
  return new Set(rows.map(({ id }) => id));
}

async function findEvents(
  db: Db,
  { tenantId, connectionId }: ClaimedStream,
  entries: readonly BodilessEntry[],
): Promise<ReadonlySet<string>> {
  if (entries.length === 0) return new Set();
  const eventId = { $in: entries.map(({ delivery }) => delivery.event_id) };
  const rows = await db.for({ tenantId }).find(Delivery, { connectionId, eventId }, { fields: ['eventId'] });
  return new Set(rows.map((row) => row.eventId));
}
