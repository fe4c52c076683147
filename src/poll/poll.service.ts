import type { Connection } from '../connection/connection.entity.js';
import type { Caller } from '../core/caller.js';
import { workDue } from '../core/due.js';
import { type PollNow, type SetPolling, pollNow, setPolling } from './command.js';
import { enrollDue } from './enroll.js';
import { type ClaimedStream, PolledStream, Polling } from './poll.entity.js';
import { type TickDeps, tick } from './tick.js';

/** How a connection is polled, and how far. */
export interface PollingState {
  readonly polling: Polling;
  /** By name. */
  readonly streams: readonly StreamState[];
}

export interface StreamState {
  readonly live: PolledStream;
  /** The last one that was asked for. */
  readonly backfill: PolledStream | null;
  /** Since a poll last came to its end; null before the first. */
  readonly lagSeconds: number | null;
}

export interface PollService {
  /**
   * Polls what is due, at most so many streams at once, those that are live before backfills; until nothing more is due
   * or `stop` aborts. Answers how many polls that were. Any number of processes may do so: each stream is claimed by
   * one of them.
   */
  runDue(limit: number, stop?: AbortSignal): Promise<number>;
  /** Finds what there is to poll, of connections that are new or have changed. Answers how many those were. */
  enroll(): Promise<number>;
  /**
   * Has the connection polled at once, and with `backfillSince` what happened since then read again, beside and behind
   * the live polls. Asked again, a backfill that runs goes on. Throws NOT_FOUND, UNSUPPORTED, INVALID_INPUT or
   * CONNECTION_NOT_READY.
   */
  pollNow(caller: Caller, command: PollNow): Promise<Connection>;
  /** Switches polling of a connection on or off, and bounds its intervals. Throws NOT_FOUND, UNSUPPORTED or INVALID_INPUT. */
  set(caller: Caller, command: SetPolling): Promise<Connection>;
  /** By connection, those that are polled. */
  of(caller: Caller, connectionIds: readonly string[]): Promise<ReadonlyMap<string, PollingState>>;
}

/** A process that dies gives its streams back after this. */
const LEASE_MS = 60_000;

export function createPollService(deps: TickDeps): PollService {
  const { db, clock, log } = deps;

  async function claim(limit: number): Promise<readonly ClaimedStream[]> {
    const { rows } = await db.doors.query<ClaimedStream>({
      name: 'polls_claim',
      text: CLAIM,
      values: [clock.now(), LEASE_MS, limit],
    });
    return rows;
  }

  return {
    runDue: (limit, stop = new AbortController().signal) =>
      workDue({
        claim,
        work: (stream, signal) => tick(deps, stream, signal),
        failed: ({ id, connectionId }, error) =>
          log.error({ err: error, connectionId, streamId: id }, 'a poll could not be settled'),
        concurrency: limit,
        leaseMs: LEASE_MS,
        signal: stop,
      }),
    enroll: () => enrollDue(deps),
    pollNow: (caller, command) => pollNow(deps, caller, command),
    set: (caller, command) => setPolling(deps, caller, command),
    async of(caller, connectionIds) {
      const where = { connectionId: { $in: [...connectionIds] } };
      const manager = db.for(caller);
      const pollings = await manager.find(Polling, where);
      const rows = await manager.find(PolledStream, where, { orderBy: { name: 'asc' } });
      const byConnection = Map.groupBy(rows, ({ connectionId }) => connectionId);
      return new Map(
        pollings.map((polling) => {
          const streams = toStates(byConnection.get(polling.connectionId) ?? [], clock.now());
          return [polling.connectionId, { polling, streams }];
        }),
      );
    },
  };
}

function toStates(rows: readonly PolledStream[], now: Date): readonly StreamState[] {
  const backfills = new Map(
    rows.filter(({ mode }) => mode === 'BACKFILL').map((backfill) => [backfill.name, backfill]),
  );
  return rows
    .filter(({ mode }) => mode === 'LIVE')
    .map((live) => ({
      live,
      backfill: backfills.get(live.name) ?? null,
      lagSeconds: secondsSince(live.lastPolledAt ?? null, now),
    }));
}

/** Not below 0, as clocks of processes differ. */
function secondsSince(time: Date | null, now: Date): number | null {
  return time && Math.max(0, (now.getTime() - time.getTime()) / 1000);
}

/** Backfills have what live polls leave. In one statement, as most find nothing. */
const CLAIM = `
  with live as materialized (select * from polls_claim('LIVE', $1, $2 * interval '1 millisecond', $3)),
  claimed as (
    select * from live union all
    select * from polls_claim('BACKFILL', $1, $2 * interval '1 millisecond', $3 - (select count(*)::integer from live)))
  select id, tenant_id as "tenantId", connection_id as "connectionId", name, mode, since, cursor, due_at as "dueAt",
         interval_seconds as "intervalSeconds", failures, fence, min_seconds as "minSeconds", max_seconds as "maxSeconds"
  from claimed`;
