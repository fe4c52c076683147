import { MAX_POLLED_ID, type PollPage, type PolledEvent, type ProviderEvent } from '../connector/index.js';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import { toStorableJson } from '../core/storable.js';
import type { Vault } from '../credential/vault.js';
import {
  type BodilessEntry,
  type EntryDeps,
  type Normalizing,
  sealEntry,
  toBodilessEntry,
} from '../signal/entry.js';
import { type JournalEntry, toAppendArguments } from '../signal/journal.js';
import { redact } from '../signal/redact.js';
import { Signal } from '../signal/signal.entity.js';
import type { ClaimedStream } from './poll.entity.js';

export interface AppendDeps extends EntryDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly vault: Vault;
}

/** A page that is to be committed as a whole. */
export interface PageAppend {
  readonly stream: ClaimedStream;
  readonly page: PollPage;
  /** Whether webhooks should have told of them as well. */
  readonly isWatched: boolean;
}

/** What a polled delivery's id begins with: no webhook's does. */
const POLLED = 'poll:';

/**
 * Appends a page to the journal and moves the stream's cursor behind it, in one transaction. Answers how many signals
 * were new, or null when the stream is not ours any more: then nothing was written.
 */
export async function appendPage(
  deps: AppendDeps,
  connector: Normalizing,
  { stream, page, isWatched }: PageAppend,
): Promise<number | null> {
  const now = deps.clock.now();
  const entries = await toEntries(deps, connector, stream, page.events, now);
  const { rows } = await deps.db.doors.query<{ fresh: number | null }>({
    name: 'poll_append',
    text: 'select poll_append($1, $2, $3, $4::jsonb, $5, $6, $7::jsonb, $8::jsonb, $9) as fresh',
    values: [
      stream.id,
      stream.fence,
      now,
      toStorableJson(page.nextCursor),
      page.progress ?? null,
      isWatched,
      ...toAppendArguments(entries),
    ],
  });
  return rows[0]?.fresh ?? null;
}

/** Of what overlapping polls and webhooks brought before, nothing is sealed and sent again. */
async function toEntries(
  deps: AppendDeps,
  connector: Normalizing,
  stream: ClaimedStream,
  events: readonly PolledEvent[],
  receivedAt: Date,
): Promise<readonly JournalEntry[]> {
  const made = events.map((polled) => {
    const told = toEvent(polled, receivedAt);
    // Before anything is made of it, as with what comes by webhook.
    const event = { ...told, body: redact(told.body, connector.manifest.redact) };
    return { event, entry: toBodilessEntry(deps, connector, stream, event, 'application/json') };
  });
  const known = await findKnown(
    deps.db,
    stream,
    made.map(({ entry }) => entry),
  );
  const fresh = made.filter(({ entry }) => entry.delivery.failure || !isKnown(entry, known));
  return Promise.all(
    fresh.map(({ event, entry }) => sealEntry(deps.vault, entry, Buffer.from(JSON.stringify(event.body)))),
  );
}

function toEvent({ id, ...event }: PolledEvent, receivedAt: Date): ProviderEvent {
  if (id.length < 1 || id.length > MAX_POLLED_ID) {
    throw new Error(`a polled event’s id must have 1 to ${MAX_POLLED_ID} characters, not ${id.length}`);
  }
  return { ...event, id: `${POLLED}${id}`, receivedAt };
}

async function findKnown(
  db: Db,
  { tenantId }: ClaimedStream,
  entries: readonly BodilessEntry[],
): Promise<ReadonlySet<string>> {
  const ids = entries.flatMap(({ signals }) => signals.map(({ id }) => id));
  if (ids.length === 0) return new Set();
  const rows = await db.for({ tenantId }).find(Signal, { id: { $in: ids } }, { fields: ['id'] });
  return new Set(rows.map(({ id }) => id));
}

function isKnown({ signals }: BodilessEntry, known: ReadonlySet<string>): boolean {
  return signals.every(({ id }) => known.has(id));
}
