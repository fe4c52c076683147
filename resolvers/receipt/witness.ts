import { Arg, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import type { WitnessStanding } from '../../src/witness/witness.service.js';
import { RequiresScope } from '../authorize.js';
import type { GraphQLContext } from '../context.js';
import { URLScalar } from '../scalars.js';
import { ReceiptWitness, SetReceiptWitnessPayload } from './witness-type.js';

@Resolver()
export class ReceiptWitnessResolver {
  @RequiresScope('integrations:audit')
  @Query(() => [ReceiptWitness], {
    description: 'Who keeps checkpoints of the tenant’s log elsewhere, and what they say.',
  })
  async receiptWitnesses(@Ctx() { services, caller }: GraphQLContext): Promise<ReceiptWitness[]> {
    return (await services.witnesses.list(caller)).map(toWitness);
  }

  @RequiresScope('integrations:admin')
  @Mutation(() => SetReceiptWitnessPayload, {
    description:
      'Has checkpoints of the tenant’s log sent to a URL, signed with a new secret; or to nowhere any more. It gets the first one within seconds.',
  })
  async setReceiptWitness(
    @Ctx() { services, caller }: GraphQLContext,
    @Arg('url', () => URLScalar, {
      nullable: true,
      description: 'Where to: a public address, by http or https. Left out: nowhere.',
    })
    url?: string | null,
  ): Promise<SetReceiptWitnessPayload> {
    const secret = await services.witnesses.set(caller, { url: url ?? null });
    const standings = await services.witnesses.list(caller);
    const own = standings.find(({ kind }) => kind === 'TENANT');
    return { witness: own ? toWitness(own) : null, secret: secret?.reveal() ?? null };
  }
}

function toWitness({ kind, url, anchor }: WitnessStanding): ReceiptWitness {
  return {
    kind,
    url,
    lastSize: anchor?.takenSize?.toString() ?? null,
    lastAt: anchor?.takenAt ?? null,
    lastError: anchor?.problem ?? null,
    conflict: anchor?.conflict ?? null,
    conflictAt: anchor?.conflictAt ?? null,
  };
}
