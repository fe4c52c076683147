import { defineEntity, p } from '@mikro-orm/postgresql';
import type { ActionOutcome, FailureCategory, Verb } from '../connector/index.js';

export const actionStatuses = [
  'ACCEPTED',
  'RUNNING',
  'RETRYING',
  'SUCCEEDED',
  'FAILED',
  'UNCONFIRMED',
  'CANCELLED',
] as const;
/**
 * RUNNING: a process is at it. RETRYING: it is taken up again at `nextAttemptAt`, because what kept it passes, or
 * because nobody knows yet whether the last attempt took effect. UNCONFIRMED: it could not be found out; a person has
 * to look.
 */
export type ActionStatus = (typeof actionStatuses)[number];

/** A provider's failure as it is stored and shown. */
export interface ActionFailure {
  readonly category: FailureCategory;
  readonly code: string;
  readonly message: string;
  readonly providerStatus?: number;
  /** RFC 3339. */
  readonly retryAt?: string;
}

const actionSchema = defineEntity({
  name: 'Action',
  tableName: 'actions',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.text(),
    connectionId: p.uuid(),
    providerId: p.text(),
    verb: p.text().$type<Verb>(),
    sealedInput: p.blob(),
    inputHash: p.blob(),
    idempotencyKey: p.text(),
    correlationId: p.text(),
    /** Of the trace it was asked for in: whichever process takes it up later goes on with that. */
    traceparent: p.text().nullable(),
    actor: p.text(),
    status: p.text().$type<ActionStatus>(),
    attempts: p.integer(),
    /** The fence: who writes the outcome must still be this one. */
    leaseOwner: p.uuid().nullable(),
    /** When it is taken up again, while it is RETRYING. Null once settled. */
    leaseUntil: p.datetime().nullable(),
    /**
     * Until then only its owner touches it, after that anybody may take it over. By the clock of the database alone:
     * where that of a process jumps, nobody must take over what is still on its way. Null: nothing of it is.
     */
    heldUntil: p.datetime().nullable(),
    /** An attempt so far may have taken effect: nothing is sent again before the provider was looked at. */
    effectUnknown: p.boolean(),
    /** Raised by a redrive of what certainly had no effect, lest a provider answer it with what it refused before. */
    nonce: p.integer(),
    redrives: p.integer(),
    redrivenAt: p.datetime().nullable(),
    result: p.json<ActionOutcome>().nullable(),
    failure: p.json<ActionFailure>().nullable(),
    createdAt: p.datetime(),
    /** When it was stored, by the clock of the database, which writes it. */
    beganAt: p.datetime().nullable(),
    settledAt: p.datetime().nullable(),
  },
});

/** One thing to do at a provider. */
export class Action extends actionSchema.class {}
actionSchema.setClass(Action);
