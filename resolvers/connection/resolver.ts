import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Connection } from '../../src/connection/connection.entity.js';
import { keyVersionOf } from '../../src/credential/seal.js';
import { IntegrationActionPage } from '../action/type.js';
import { RequiresScope, withScope } from '../authorize.js';
import type { GraphQLContext } from '../context.js';
import { given } from '../given.js';
import { IntegrationHealth } from '../health/type.js';
import { PageArgs, toPageRequest } from '../page.js';
import { toProvider } from '../provider/provider.js';
import { IntegrationProvider } from '../provider/type.js';
import { IntegrationReceiptPage } from '../receipt/type.js';
import { SignalFilter } from '../signal/input.js';
import { SignalPage } from '../signal/type.js';
import { Tenant } from '../tenant/type.js';
import {
  ConnectInput,
  ConnectionFilter,
  RotateInput,
  UpdateConnectionInput,
  toConnectCommand,
  toRotateCommand,
  toUpdateCommand,
} from './input.js';
import {
  ConnectPayload,
  CredentialInfo,
  IntegrationConnection,
  IntegrationConnectionPage,
  RotatePayload,
  SecretAccessPage,
  WebhookEndpoint,
} from './type.js';
import { toRegistrationFailure } from './registration-type.js';
import { toWebhookSetup } from './webhook.js';

/** Connections as root fields have them. */
@Resolver(() => IntegrationConnection)
export class ConnectionResolver {
  @RequiresScope('integrations:write')
  @Mutation(() => ConnectPayload, {
    description: 'Makes a connection and stores its credential sealed. It works once `verify` has tried it.',
  })
  async connect(
    @Arg('input', () => ConnectInput, { description: 'To whom, and by which credential.' })
    input: ConnectInput,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    const connected = await services.connections.connect(caller, toConnectCommand(input));
    const { connection, webhook, authorizationUrl } = connected;
    const connector = services.catalog.find(connection.providerId);
    return { connection, authorizationUrl, webhook: webhook && toWebhookSetup(webhook, connector) };
  }

  @RequiresScope('integrations:write')
  @Mutation(() => IntegrationConnection, {
    description:
      'Asks the provider who the credential belongs to: ACTIVE when it answers, else ERROR with a reason that says what to do.',
  })
  verify(
    @Arg('connectionId', () => ID, { description: 'Its id.' }) id: string,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    return services.connections.verify(caller, id);
  }

  @RequiresScope('integrations:write')
  @Mutation(() => RotatePayload, {
    description:
      'Replaces a credential, once the new one has proven to work; or a webhook’s secret or URL, with the old one good for a while more.',
  })
  async rotate(
    @Arg('input', () => RotateInput, { description: 'What to replace, and by what.' }) input: RotateInput,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    const rotated = await services.connections.rotate(caller, toRotateCommand(input));
    const connector = services.catalog.find(rotated.connection.providerId);
    const webhook = rotated.webhook && toWebhookSetup(rotated.webhook, connector);
    const registrationFailures = rotated.registrationFailures.map(toRegistrationFailure);
    return { ...rotated, webhook, failure: rotated.failure?.details, registrationFailures };
  }

  @RequiresScope('integrations:write')
  @Mutation(() => IntegrationConnection, {
    description:
      'Changes name, description, tags or settings. Settings that the provider does not work with change nothing: SETTINGS_REFUSED.',
  })
  updateConnection(
    @Arg('input', () => UpdateConnectionInput, { description: 'What to change.' })
    input: UpdateConnectionInput,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    return services.connections.update(caller, toUpdateCommand(input));
  }

  @RequiresScope('integrations:write')
  @Mutation(() => IntegrationConnection, {
    description: 'Puts it to rest: no actions, and webhooks are answered 409, until `resume`.',
  })
  suspend(
    @Arg('connectionId', () => ID, { description: 'Its id.' }) id: string,
    @Ctx() { services, caller }: GraphQLContext,
    @Arg('reason', () => String, { nullable: true, description: 'For whoever looks at it next.' })
    reason?: string | null,
  ) {
    return services.connections.suspend(caller, id, reason);
  }

  @RequiresScope('integrations:write')
  @Mutation(() => IntegrationConnection, {
    description:
      'Verifies it, and makes it ACTIVE when the credential still works; else it stays SUSPENDED and says why.',
  })
  resume(
    @Arg('connectionId', () => ID, { description: 'Its id.' }) id: string,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    return services.connections.resume(caller, id);
  }

  @RequiresScope('integrations:write')
  @Mutation(() => IntegrationConnection, {
    description:
      'Takes the webhooks away that were registered at the provider, deletes its credential and its webhook’s URL and secret, and keeps its history. Its name is free again.',
  })
  disconnect(
    @Arg('connectionId', () => ID, { description: 'Its id.' }) id: string,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    return services.connections.disconnect(caller, id);
  }

  @RequiresScope('integrations:read')
  @Query(() => IntegrationConnectionPage, { description: 'Connections, newest first.' })
  connections(
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() { services, caller }: GraphQLContext,
    @Arg('filter', () => ConnectionFilter, {
      nullable: true,
      description: 'Which ones; left out: all but DELETED.',
    })
    filter?: ConnectionFilter | null,
  ) {
    return services.connections.list(caller, given(filter), toPageRequest(page));
  }

  @RequiresScope('integrations:read')
  @Query(() => IntegrationConnection, { nullable: true, description: 'One connection.' })
  connection(
    @Arg('id', () => ID, { description: 'Its id.' }) id: string,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    return services.connections.require(caller, id);
  }
}

/** Where a connection leads. */
@Resolver(() => IntegrationConnection)
export class ConnectionFieldsResolver {
  @FieldResolver(() => Tenant, { description: 'Whose connection it is.' })
  tenant(@Root() { tenantId }: Connection) {
    return { id: tenantId };
  }

  @FieldResolver(() => IntegrationProvider, { description: 'The outside system.' })
  provider(@Root() { providerId }: Connection, @Ctx() { services }: GraphQLContext) {
    return toProvider(services.catalog.require(providerId));
  }

  @RequiresScope('integrations:read')
  @FieldResolver(() => CredentialInfo, { nullable: true, description: 'What may be known of its secret.' })
  async credential(@Root() { id, grantedScopes }: Connection, @Ctx() { loaders }: GraphQLContext) {
    const credential = await loaders.credential.load(id);
    if (!credential) return null;
    const { version, createdAt, sealed } = credential;
    return { version, createdAt, keyVersion: keyVersionOf(sealed), scopes: grantedScopes };
  }

  @RequiresScope('integrations:read')
  @FieldResolver(() => WebhookEndpoint, {
    nullable: true,
    description: 'Where its webhooks arrive; null where it takes none.',
  })
  async webhook(@Root() { id }: Connection, @Ctx() { services, loaders }: GraphQLContext) {
    const endpoint = await loaders.endpoint.load(id);
    if (!endpoint) return null;
    const { createdAt, secretCreatedAt, previousSecretUntil, previousTokenUntil, handshake } = endpoint;
    const url = await services.connections.urlOf(endpoint);
    const previous = { previousSecretUntil, previousTokenUntil };
    return { connectionId: id, url, createdAt, secretCreatedAt, ...previous, handshake };
  }

  @RequiresScope('integrations:read')
  @FieldResolver(() => IntegrationHealth, { description: 'What was seen of it within the last hour.' })
  health(@Root() { id }: Connection, @Ctx() { loaders }: GraphQLContext) {
    return loaders.health.load(id);
  }

  @RequiresScope('integrations:read')
  @FieldResolver(() => SignalPage, {
    description:
      'Its signals in the order of commits, oldest first. `filter.connectionIds` is this connection.',
  })
  signals(
    @Root() { id }: Connection,
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() { services, caller, loaders }: GraphQLContext,
    @Arg('filter', () => SignalFilter, { nullable: true, description: 'Which ones; left out: all.' })
    filter?: SignalFilter | null,
  ) {
    const request = toPageRequest(page);
    if (!filter) return loaders.signalsOfConnection(request).load(id);
    return services.signals.list(caller, { ...given(filter), connectionIds: [id] }, request);
  }

  @RequiresScope('integrations:read')
  @FieldResolver(() => IntegrationActionPage, { description: 'Its actions, newest first.' })
  actions(
    @Root() { id }: Connection,
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    return services.actions.list(caller, { connectionId: id }, toPageRequest(page));
  }

  @RequiresScope('integrations:audit')
  @FieldResolver(() => IntegrationReceiptPage, { description: 'Receipts about it, newest first.' })
  receipts(
    @Root() { id }: Connection,
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    return services.receipts.list(caller, { connectionId: id }, toPageRequest(page));
  }

  @RequiresScope('integrations:audit')
  @FieldResolver(() => SecretAccessPage, {
    description:
      'Who used its secrets and what for, newest first. Webhook secrets count once while kept in memory.',
  })
  secretAccesses(
    @Root() { id }: Connection,
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    return services.connections.accesses(caller, id, toPageRequest(page));
  }
}

/** A deleted one is as good as none, as it is by its id; only history still leads to it. */
export const connectionReference = withScope('integrations:read', async ({ id }, { loaders }) => {
  const connection = await loaders.connection.load(id);
  return connection?.status === 'DELETED' ? null : connection;
});
