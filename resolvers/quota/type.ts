import { Field, Int, ObjectType } from 'type-graphql';

@ObjectType({ description: 'How many there are, or may be, of what is counted.' })
export class QuotaCounts {
  @Field(() => Int, { description: 'Connections that are not DELETED.' })
  connections!: number;
}

@ObjectType({ description: 'How far a tenant has used what its plan allows.' })
export class Quota {
  @Field(() => String, {
    description:
      'What the operator has put the tenant on: `free`, `team`, `business`, `enterprise`; else `default`.',
  })
  plan!: string;

  @Field(() => QuotaCounts, { description: 'What the plan allows. Beyond it: QUOTA_EXCEEDED.' })
  limits!: QuotaCounts;

  @Field(() => QuotaCounts, { description: 'What there is now.' })
  used!: QuotaCounts;
}
