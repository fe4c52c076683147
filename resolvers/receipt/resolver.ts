import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import type { Receipt } from '../../src/receipt/receipt.entity.js';
import { RequiresScope, withScope } from '../authorize.js';
import { IntegrationConnection } from '../connection/type.js';
import type { GraphQLContext } from '../context.js';
import { given } from '../given.js';
import { PageArgs, toPageRequest } from '../page.js';
import { toProvider } from '../provider/provider.js';
import { IntegrationProvider } from '../provider/type.js';
import { toBase64 } from './base64.js';
import { Tenant } from '../tenant/type.js';
import { ReceiptFilter } from './input.js';
import { InclusionProof, IntegrationReceipt, IntegrationReceiptPage } from './type.js';

@Resolver(() => IntegrationReceipt)
export class ReceiptResolver {
  @RequiresScope('integrations:audit')
  @Query(() => IntegrationReceiptPage, { description: 'Receipts, newest first.' })
  receipts(
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() { services, caller }: GraphQLContext,
    @Arg('filter', () => ReceiptFilter, { nullable: true, description: 'Which ones; left out: all.' })
    filter?: ReceiptFilter | null,
  ) {
    return services.receipts.list(caller, given(filter), toPageRequest(page));
  }

  @RequiresScope('integrations:audit')
  @Query(() => IntegrationReceipt, { nullable: true, description: 'One receipt.' })
  receipt(
    @Arg('id', () => ID, { description: 'Its id.' }) id: string,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    return services.receipts.require(caller, id);
  }

  @FieldResolver(() => Tenant, { description: 'Whose receipt it is.' })
  tenant(@Root() { tenantId }: Receipt) {
    return { id: tenantId };
  }

  @FieldResolver(() => IntegrationConnection, { nullable: true, description: 'The connection it is about.' })
  connection(@Root() { connectionId }: Receipt, @Ctx() { loaders }: GraphQLContext) {
    return connectionId && loaders.connection.load(connectionId);
  }

  @FieldResolver(() => IntegrationProvider, {
    nullable: true,
    description: 'The provider it is about; null when its connector is no longer there.',
  })
  provider(@Root() { providerId }: Receipt, @Ctx() { services }: GraphQLContext) {
    const connector = services.catalog.find(providerId ?? '');
    return connector ? toProvider(connector) : null;
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'Its place in the tenant’s log, from 0; null until it has one, which takes about a second.',
  })
  async leafIndex(@Root() { id }: Receipt, @Ctx() { loaders }: GraphQLContext) {
    return (await loaders.placeOfReceipt.load(id))?.toString() ?? null;
  }

  @FieldResolver(() => InclusionProof, {
    nullable: true,
    description: 'That it is in the log; null until a checkpoint covers it, which takes about a second.',
  })
  async proof(@Root() { id, leaf, salt }: Receipt, @Ctx() { loaders }: GraphQLContext) {
    const proof = await loaders.proofOfReceipt.load(id);
    if (!proof) return null;
    return { ...proof, leaf, salt: salt ? toBase64(salt) : null, hashes: proof.hashes.map(toBase64) };
  }
}

export const receiptReference = withScope('integrations:audit', ({ id }, { loaders }) =>
  loaders.receipt.load(id),
);
