import { Field, ID, ObjectType } from 'type-graphql';
import type { JsonObject } from '../../src/connector/index.js';
import type { ReceiptOutcome } from '../../src/receipt/receipt.entity.js';
import { entityKey } from '../entity-key.js';
import { toEnum } from '../enum.js';
import { toPageType } from '../page.js';
import { DateTime, JSONObject } from '../scalars.js';

export const IntegrationReceiptOutcome = toEnum<ReceiptOutcome>(
  'IntegrationReceiptOutcome',
  'What a receipt attests to.',
  {
    SUCCESS: 'It was done.',
    FAILURE: 'It was not done.',
    UNCONFIRMED: 'It could not be found out whether it was done.',
  },
);

@entityKey
@ObjectType({
  description: 'What became of an action or a change. Written in the same transaction, never changed.',
})
export class IntegrationReceipt {
  @Field(() => ID, { description: 'In the order of time.' })
  id!: string;

  @Field(() => String, {
    description:
      'What was done: `integration.action.github.create_issue`, `integration.connection.github.verify`.',
  })
  operation!: string;

  @Field(() => IntegrationReceiptOutcome, { description: 'What became of it.' })
  outcome!: ReceiptOutcome;

  @Field(() => String, {
    nullable: true,
    description:
      'The `sub` of the token that asked for it. Null, like `request` and `result`, once the body was deleted.',
  })
  actor!: string | null;

  @Field(() => String, { nullable: true, description: 'Joins it to the caller’s own decision.' })
  correlationId!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The trace it happened in: 32 hex digits, as W3C Trace Context has them.',
  })
  traceId!: string | null;

  @Field(() => JSONObject, {
    nullable: true,
    description: 'What was asked, without secrets; texts by their hash.',
  })
  request!: JsonObject | null;

  @Field(() => JSONObject, { nullable: true, description: 'What came of it, without secrets.' })
  result!: JsonObject | null;

  @Field(() => DateTime, {
    nullable: true,
    description:
      'When `actor`, `request` and `result` were deleted, since their time was over. Proofs still verify.',
  })
  bodyDeletedAt!: Date | null;

  @Field(() => DateTime, { description: 'When it was settled.' })
  occurredAt!: Date;
}

@ObjectType({
  description:
    'What a tenant’s log was at one moment, signed: the size and root of its Merkle tree (RFC 9162). Keep one from time to time: with it, anyone can show that the log has only grown since.',
})
export class ReceiptCheckpoint {
  @Field(() => String, {
    description:
      'The signed note as it is published, in the format of https://c2sp.org/tlog-checkpoint. The keys are at `/.well-known/tributary-keys.json`.',
  })
  note!: string;

  @Field(() => DateTime, { description: 'When it was signed.' })
  createdAt!: Date;
}

@ObjectType({ description: 'Shows that a receipt is in the tree of a checkpoint: RFC 9162 §2.1.3.' })
export class InclusionProof {
  @Field(() => String, {
    description:
      'The text that is hashed, byte for byte. It names the receipt, and its body by a salted hash.',
  })
  leaf!: string;

  @Field(() => String, {
    nullable: true,
    description: 'What the body’s hash is salted with, in base64; null once the body was deleted.',
  })
  salt!: string | null;

  @Field(() => [String], { description: 'Hashes in base64, from the leaf’s neighbor up to the root.' })
  hashes!: readonly string[];

  @Field(() => ReceiptCheckpoint, { description: 'Whose tree it is.' })
  checkpoint!: ReceiptCheckpoint;
}

@ObjectType({ description: 'Shows that a tree is the beginning of a later one: RFC 9162 §2.1.4.' })
export class ConsistencyProof {
  @Field(() => [String], { description: 'Hashes in base64.' })
  hashes!: readonly string[];
}

export const IntegrationReceiptPage = toPageType(
  'IntegrationReceiptPage',
  'receipts',
  () => IntegrationReceipt,
);
