import { defineEntity, p } from '@mikro-orm/postgresql';
import type { JsonObject } from '../connector/index.js';

export const receiptOutcomes = ['SUCCESS', 'FAILURE', 'UNCONFIRMED'] as const;
export type ReceiptOutcome = (typeof receiptOutcomes)[number];

const receiptSchema = defineEntity({
  name: 'Receipt',
  tableName: 'receipts',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.text(),
    connectionId: p.uuid().nullable(),
    providerId: p.text().nullable(),
    actionId: p.uuid().nullable(),
    operation: p.text(),
    outcome: p.text().$type<ReceiptOutcome>(),
    /** Null, like `request`, `result` and `salt`, once the body was deleted. */
    actor: p.text().nullable(),
    correlationId: p.text().nullable(),
    traceId: p.text().nullable(),
    request: p.json<JsonObject>().nullable(),
    result: p.json<JsonObject>().nullable(),
    occurredAt: p.datetime(),
    /** The text that the log commits to, byte for byte; null for receipts from before there was a log. */
    leaf: p.text().nullable(),
    salt: p.blob().nullable(),
    bodyDeletedAt: p.datetime().nullable(),
  },
});

/** What became of an action or a change. Written once, in the transaction of what it attests; the app's role can't change it. */
export class Receipt extends receiptSchema.class {}
receiptSchema.setClass(Receipt);

const checkpointSchema = defineEntity({
  name: 'ReceiptCheckpoint',
  tableName: 'receipt_checkpoints',
  properties: {
    /** In the order of commits, over all tenants. */
    sequence: p.bigint('string').primary(),
    tenantId: p.text(),
    size: p.bigint('number'),
    root: p.blob(),
    note: p.text(),
    createdAt: p.datetime(),
  },
});

/** What a tenant's log was at one moment, signed: see checkpoint.ts. */
export class ReceiptCheckpoint extends checkpointSchema.class {}
checkpointSchema.setClass(ReceiptCheckpoint);

const keySchema = defineEntity({
  name: 'CheckpointKey',
  tableName: 'checkpoint_keys',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.text(),
    version: p.integer(),
    publicKey: p.blob(),
    /** Null once the next key has replaced it: nobody signs with it again. */
    sealedSeed: p.blob().nullable(),
    createdAt: p.datetime(),
    retiredAt: p.datetime().nullable(),
  },
});

/** A key of the deployment's that signs checkpoints, or did. */
export class CheckpointKey extends keySchema.class {}
keySchema.setClass(CheckpointKey);

/** All that the ORM is told of. */
export const receiptEntities = [Receipt, ReceiptCheckpoint, CheckpointKey];
