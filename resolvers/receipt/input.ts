import { Field, ID, InputType } from 'type-graphql';
import type { ReceiptOutcome } from '../../src/receipt/receipt.entity.js';
import { IntegrationReceiptOutcome } from './type.js';

@InputType({ description: 'Which receipts. Every given field must match.' })
export class ReceiptFilter {
  @Field(() => ID, { nullable: true, description: 'Of this connection.' })
  connectionId?: string | null;

  @Field(() => String, { nullable: true, description: 'With this correlation id.' })
  correlationId?: string | null;

  @Field(() => IntegrationReceiptOutcome, { nullable: true, description: 'With this outcome.' })
  outcome?: ReceiptOutcome | null;

  @Field(() => String, { nullable: true, description: 'Of exactly this operation.' })
  operation?: string | null;
}
