import { defineEntity, p } from '@mikro-orm/postgresql';
import type { FailureCategory, Json } from '../connector/index.js';

/** LIVE polls go on for as long as the connection does; a BACKFILL has an end. */
export type PollMode = 'LIVE' | 'BACKFILL';

export type BackfillStatus = 'RUNNING' | 'DONE' | 'FAILED';

/** Why the last poll of a stream did not come to its end. */
export interface PollFailure {
  readonly category: FailureCategory;
  readonly code: string;
  readonly message: string;
  readonly providerStatus?: number;
  /** RFC 3339. */
  readonly retryAt?: string;
  /** RFC 3339. */
  readonly at: string;
}

const pollingSchema = defineEntity({
  name: 'Polling',
  tableName: 'pollings',
  properties: {
    connectionId: p.uuid().primary(),
    tenantId: p.text(),
    isOn: p.boolean(),
    minSeconds: p.integer(),
    maxSeconds: p.integer(),
    gaps: p.integer(),
    connectorVersion: p.text(),
    connectionUpdatedAt: p.datetime(),
  },
});

/** How a connection is polled. */
export class Polling extends pollingSchema.class {}
pollingSchema.setClass(Polling);

const streamSchema = defineEntity({
  name: 'PolledStream',
  tableName: 'poll_streams',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.text(),
    connectionId: p.uuid(),
    name: p.text(),
    mode: p.text().$type<PollMode>(),
    title: p.text(),
    since: p.datetime(),
    dueAt: p.datetime().nullable(),
    isResting: p.boolean(),
    intervalSeconds: p.integer(),
    failures: p.integer(),
    failure: p.json<PollFailure>().nullable(),
    leaseUntil: p.datetime().nullable(),
    /** Counts the claims; only the newest may write. */
    fence: p.bigint('string'),
    lastPolledAt: p.datetime().nullable(),
    lastFoundAt: p.datetime().nullable(),
    /** Signals that nothing else had brought before. */
    found: p.integer(),
    progress: p.float().nullable(),
    status: p.text().$type<BackfillStatus>().nullable(),
  },
});

/** One stream of one connection. Its cursor is not here: `polls_claim` answers it and `poll_append` moves it. */
export class PolledStream extends streamSchema.class {}
streamSchema.setClass(PolledStream);

/** A stream that is ours to poll for as long as its fence stands. */
export interface ClaimedStream extends Pick<
  PolledStream,
  | 'id'
  | 'tenantId'
  | 'connectionId'
  | 'name'
  | 'mode'
  | 'since'
  | 'dueAt'
  | 'intervalSeconds'
  | 'failures'
  | 'fence'
> {
  /** Null before the first page. */
  readonly cursor: Json;
  readonly minSeconds: number;
  readonly maxSeconds: number;
}
