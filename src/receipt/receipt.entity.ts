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
    actor: p.text(),
    correlationId: p.text().nullable(),
    request: p.json<JsonObject>(),
    result: p.json<JsonObject>(),
    occurredAt: p.datetime(),
  },
});

/** What became of an action or a change. Written once, in the transaction of what it attests; the app's role can't change it. */
export class Receipt extends receiptSchema.class {}
receiptSchema.setClass(Receipt);
