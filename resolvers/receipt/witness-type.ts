import { Field, ObjectType } from 'type-graphql';
import type { WitnessKind } from '../../src/witness/witness.entity.js';
import { toEnum } from '../enum.js';
import { DateTime, URLScalar } from '../scalars.js';

export const ReceiptWitnessKind = toEnum<WitnessKind>('ReceiptWitnessKind', 'Whose witness it is.', {
  TENANT: 'The tenant’s own, by `setReceiptWitness`.',
  OPERATOR: 'That of whoever runs this, for all tenants’ logs.',
});

@ObjectType({
  description:
    'Keeps checkpoints of the tenant’s log where the database does not reach: by what it saw, a log that was rolled back or rewritten is found out.',
})
export class ReceiptWitness {
  @Field(() => ReceiptWitnessKind, { description: 'Whose it is.' })
  kind!: WitnessKind;

  @Field(() => URLScalar, { nullable: true, description: 'Where checkpoints go; null for the operator’s.' })
  url!: string | null;

  @Field(() => String, { nullable: true, description: '`size` of the last checkpoint that it took.' })
  lastSize!: string | null;

  @Field(() => DateTime, { nullable: true, description: 'When it took that.' })
  lastAt!: Date | null;

  @Field(() => String, {
    nullable: true,
    description: 'Why the last attempt did not succeed; it is tried again. Null when it did.',
  })
  lastError!: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'That it saw another log than the one there is now, and how that shows. Null as long as it agrees.',
  })
  conflict!: string | null;

  @Field(() => DateTime, { nullable: true, description: 'Since when it disagrees.' })
  conflictAt!: Date | null;
}

@ObjectType({ description: 'A witness that was just set or taken away.' })
export class SetReceiptWitnessPayload {
  @Field(() => ReceiptWitness, { nullable: true, description: 'Null where it was taken away.' })
  witness!: ReceiptWitness | null;

  @Field(() => String, {
    nullable: true,
    description:
      'What every POST is signed with, as https://www.standardwebhooks.com says. Shown this once; null where the witness was taken away.',
  })
  secret!: string | null;
}
