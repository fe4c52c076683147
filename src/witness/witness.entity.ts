import { defineEntity, p } from '@mikro-orm/postgresql';

/** Who shows checkpoints around: a tenant its own log's, or the operator those of all logs. */
export const witnessKinds = ['TENANT', 'OPERATOR'] as const;
export type WitnessKind = (typeof witnessKinds)[number];

const witnessSchema = defineEntity({
  name: 'ReceiptWitness',
  tableName: 'receipt_witnesses',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.text(),
    url: p.text(),
    sealedSecret: p.blob(),
    updatedAt: p.datetime(),
  },
});

/** Where a tenant has its log's checkpoints sent. */
export class ReceiptWitness extends witnessSchema.class {}
witnessSchema.setClass(ReceiptWitness);

const anchorSchema = defineEntity({
  name: 'ReceiptAnchor',
  tableName: 'receipt_anchors',
  properties: {
    tenantId: p.text().primary(),
    witness: p.text().$type<WitnessKind>().primary(),
    /** Of the log's newest checkpoint. */
    size: p.bigint('number'),
    /** Of the last one that the witness took, and when that was. */
    takenSize: p.bigint('number').nullable(),
    takenAt: p.datetime().nullable(),
    /** Null: the witness has the newest one. */
    dueAt: p.datetime().nullable(),
    leaseUntil: p.datetime().nullable(),
    fence: p.bigint('string'),
    attempts: p.integer(),
    /** Why the last attempt did not succeed. */
    problem: p.text().nullable(),
    /** That the witness saw another log than the one there is, and how that shows. */
    conflict: p.text().nullable(),
    conflictAt: p.datetime().nullable(),
  },
});

/** What a witness of a tenant's log was told. */
export class ReceiptAnchor extends anchorSchema.class {}
anchorSchema.setClass(ReceiptAnchor);

/** All that the ORM is told of. */
export const witnessEntities = [ReceiptWitness, ReceiptAnchor];
