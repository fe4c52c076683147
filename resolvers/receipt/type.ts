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

  @Field(() => String, { description: 'The `sub` of the token that asked for it.' })
  actor!: string;

  @Field(() => String, { nullable: true, description: 'Joins it to the caller’s own decision.' })
  correlationId!: string | null;

  @Field(() => JSONObject, { description: 'What was asked, without secrets; texts by their hash.' })
  request!: JsonObject;

  @Field(() => JSONObject, { description: 'What came of it, without secrets.' })
  result!: JsonObject;

  @Field(() => DateTime, { description: 'When it was settled.' })
  occurredAt!: Date;
}

export const IntegrationReceiptPage = toPageType(
  'IntegrationReceiptPage',
  'receipts',
  () => IntegrationReceipt,
);
