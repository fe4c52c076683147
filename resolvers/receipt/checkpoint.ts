import { Arg, Ctx, FieldResolver, Query, Resolver, Root, Subscription } from 'type-graphql';
import { checkpointCursor } from '../../src/receipt/proofs.js';
import type { ReceiptCheckpoint as Checkpoint } from '../../src/receipt/receipt.entity.js';
import { RequiresScope } from '../authorize.js';
import type { GraphQLContext } from '../context.js';
import { Cursor } from '../scalars.js';
import { Tenant } from '../tenant/type.js';
import { toBase64 } from './base64.js';
import { ConsistencyProof, ReceiptCheckpoint } from './type.js';

interface FollowArgs {
  readonly after?: string | null;
}

@Resolver(() => ReceiptCheckpoint)
export class ReceiptCheckpointResolver {
  @RequiresScope('integrations:audit')
  @Query(() => ReceiptCheckpoint, {
    nullable: true,
    description: 'The newest checkpoint of the tenant’s log; null until its first receipt is signed for.',
  })
  receiptCheckpoint(@Ctx() { services, caller }: GraphQLContext) {
    return services.receiptProofs.checkpoint(caller);
  }

  @RequiresScope('integrations:audit')
  @Query(() => ConsistencyProof, {
    description: 'That the log of one size is the beginning of the log of a later one.',
  })
  async receiptConsistency(
    @Ctx() { services, caller }: GraphQLContext,
    @Arg('from', () => String, { description: '`size` of the older checkpoint.' }) from: string,
    @Arg('to', () => String, { description: '`size` of the later one.' }) to: string,
  ) {
    const { hashes } = await services.receiptProofs.consistency(caller, Number(from), Number(to));
    return { hashes: hashes.map(toBase64) };
  }

  @RequiresScope('integrations:audit')
  @Subscription(() => ReceiptCheckpoint, {
    description:
      'Every new checkpoint of the tenant’s log, once each, in order. With `after` it first replays what was missed, then goes on live with no gap.',
    subscribe: ({ args, context }: { args: FollowArgs; context: GraphQLContext }) =>
      context.services.receiptProofs.subscribe(context.caller, args.after ?? undefined),
  })
  receiptCheckpointAdded(
    @Root() checkpoint: Checkpoint,
    @Arg('after', () => Cursor, {
      nullable: true,
      description: '`ReceiptCheckpoint.cursor` of the last one seen; left out: from now on.',
    })
    _after?: string | null,
  ) {
    return checkpoint;
  }

  @FieldResolver(() => Tenant, { description: 'Whose log it is.' })
  tenant(@Root() { tenantId }: Checkpoint) {
    return { id: tenantId };
  }

  @FieldResolver(() => String, { description: 'How many receipts the log had.' })
  size(@Root() { size }: Checkpoint) {
    return String(size);
  }

  @FieldResolver(() => String, { description: 'The root of the tree of that size, in base64.' })
  root(@Root() { root }: Checkpoint) {
    return toBase64(root);
  }

  @FieldResolver(() => Cursor, { description: 'Its place among the checkpoints: `after` resumes behind it.' })
  cursor(@Root() checkpoint: Checkpoint) {
    return checkpointCursor(checkpoint);
  }
}
