import { isDeepStrictEqual } from 'node:util';
import { v7 as uuidV7 } from 'uuid';
import type { ProviderCatalog } from '../connection/catalog.js';
import { Connection } from '../connection/connection.entity.js';
import type { Opener } from '../connection/open.js';
import {
  type Connector,
  type Poll,
  type PollPage,
  type ProviderContext,
  ProviderFailure,
} from '../connector/index.js';
import type { Normalizing } from '../signal/entry.js';
import { type AppendDeps, appendPage } from './append.js';
import type { ClaimedStream } from './poll.entity.js';
import { type PollEnd, retireStream, settlePoll } from './settle.js';

export interface TickDeps extends AppendDeps {
  readonly catalog: ProviderCatalog;
  readonly opener: Opener;
}

/** A connector that can be asked. */
type Polled = Connector & Normalizing & { readonly poll: Poll };

/** All that one poll needs. */
interface Tick {
  readonly stream: ClaimedStream;
  readonly connector: Polled;
  readonly context: ProviderContext;
  readonly isWatched: boolean;
}

/** So that a long backlog leaves the others their turn: the rest is due at once. */
const MAX_PAGES = 20;

/**
 * Polls a claimed stream: page by page, each committed with the cursor behind it, to its end or until `signal` aborts.
 * Whatever it comes to is written by settlePoll. Throws only when the database can't be asked: then the lease runs out,
 * and the stream is polled again from where it is.
 */
export async function tick(deps: TickDeps, stream: ClaimedStream, signal: AbortSignal): Promise<void> {
  const { db, catalog } = deps;
  const { tenantId, connectionId } = stream;
  const connection = await db.for({ tenantId }).findOne(Connection, { id: connectionId });
  const connector = connection && catalog.find(connection.providerId);
  if (!connector || !isPolled(connector) || !has(connector.poll, connection, stream)) {
    return retireStream(deps, stream);
  }
  const end = await pollToEnd(deps, stream, connection, connector, signal);
  const { id: provider } = connector.manifest;
  deps.metrics.polls.inc({ provider, outcome: outcomeOf(end) });
  deps.metrics.signals.inc({ provider }, end.found);
  if (end.found > 0) deps.metrics.countTenant(tenantId, 'signal', end.found);
  if (end.kind === 'lost') return;
  const gaps = await settlePoll(deps, stream, end);
  deps.metrics.pollGaps.inc({ provider }, gaps);
}

function isPolled(connector: Connector): connector is Polled {
  return connector.poll !== undefined && connector.normalize !== undefined;
}

/** What a connector or the settings no longer name is not asked for any more. */
function has({ streams }: Poll, { settings }: Connection, { name }: ClaimedStream): boolean {
  return streams(settings).some((stream) => stream.name === name);
}

async function pollToEnd(
  deps: TickDeps,
  stream: ClaimedStream,
  connection: Connection,
  connector: Polled,
  signal: AbortSignal,
): Promise<PollEnd> {
  const counted = { found: 0 };
  try {
    const context = await open(deps, stream, connection, connector);
    const isWatched = needsWatch(stream, connection);
    return await readPages(deps, { stream, connector, context, isWatched }, counted, signal);
  } catch (error) {
    if (error instanceof ProviderFailure) return { kind: 'failed', failure: error, ...counted };
    deps.log.error({ err: error, connectionId: connection.id, stream: stream.name }, 'poll broke off');
    return { kind: 'failed', failure: toFailure(error), ...counted };
  }
}

async function open(
  { opener }: TickDeps,
  { mode }: ClaimedStream,
  connection: Connection,
  connector: Polled,
): Promise<ProviderContext> {
  const isLive = mode === 'LIVE';
  const accessor = { actor: 'system', purpose: isLive ? 'poll' : 'backfill', correlationId: uuidV7() };
  const lane = isLive ? 'poll' : 'backfill';
  return (await opener.open(connection, connector, accessor, { lane })).context;
}

/** What happened before the first poll, or long ago, no webhook has missed. */
function needsWatch({ mode, cursor }: ClaimedStream, { capabilities }: Connection): boolean {
  return mode === 'LIVE' && cursor !== null && capabilities.includes('WEBHOOK');
}

async function readPages(
  deps: TickDeps,
  { stream, connector, context, isWatched }: Tick,
  counted: { found: number },
  signal: AbortSignal,
): Promise<PollEnd> {
  let { cursor } = stream;
  const { settings } = context;
  for (let pages = 0; pages < MAX_PAGES && !signal.aborted; pages++) {
    const request = { stream: stream.name, cursor, since: stream.since, now: deps.clock.now() };
    const page = await connector.poll.page(context, request);
    requireProgress(page, cursor);
    const fresh = await appendPage(deps, connector, { stream, page, cursor, isWatched, settings });
    if (fresh === null) return { kind: 'lost', ...counted };
    counted.found += fresh;
    if (page.isComplete) return { kind: 'complete', ...counted };
    cursor = page.nextCursor;
  }
  return { kind: 'cut', ...counted };
}

/** Else a mistake of a connector would ask for the same page for ever. */
function requireProgress({ isComplete, nextCursor }: PollPage, cursor: ClaimedStream['cursor']): void {
  if (isComplete || !isDeepStrictEqual(nextCursor, cursor)) return;
  throw new Error('a page that is not the last must lead to another cursor');
}

/** A mistake of ours, in the words of a failure, so that it is seen and does not come again at once. */
function toFailure(cause: unknown): ProviderFailure {
  const message = 'This poll broke off by a mistake of ours; the log tells more.';
  return new ProviderFailure({ category: 'UNKNOWN', code: 'poll_broke_off', message }, { cause });
}

function outcomeOf({ kind, found }: PollEnd): string {
  return kind === 'complete' ? (found > 0 ? 'found' : 'idle') : kind;
}
