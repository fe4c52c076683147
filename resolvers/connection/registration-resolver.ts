import { Arg, Ctx, FieldResolver, ID, Mutation, Resolver, Root } from 'type-graphql';
import { RequiresScope } from '../authorize.js';
import type { GraphQLContext } from '../context.js';
import {
  RegisterWebhookInput,
  RegisterWebhookPayload,
  UnregisterWebhookPayload,
  toRegisterCommand,
} from './registration.js';
import { WebhookRegistration, toRegistrationFailure } from './registration-type.js';
import { WebhookEndpoint } from './type.js';

/** Webhooks that we set up at the provider. */
@Resolver(() => WebhookEndpoint)
export class RegistrationResolver {
  @RequiresScope('integrations:write')
  @Mutation(() => RegisterWebhookPayload, {
    description:
      'Has the provider send webhooks to the connection: URL, secret and the least events are set up there by its API.',
  })
  async registerWebhook(
    @Arg('input', () => RegisterWebhookInput, { description: 'About what, and which signals.' })
    input: RegisterWebhookInput,
    @Ctx() { services, caller }: GraphQLContext,
  ) {
    const registered = await services.connections.registerWebhook(caller, toRegisterCommand(input));
    return { ...registered, failure: registered.failure?.details };
  }

  @RequiresScope('integrations:write')
  @Mutation(() => UnregisterWebhookPayload, {
    description: 'Takes webhooks away at the provider that `registerWebhook` has set up.',
  })
  async unregisterWebhook(
    @Arg('connectionId', () => ID, { description: 'Whose they are.' }) connectionId: string,
    @Ctx() { services, caller }: GraphQLContext,
    @Arg('registrationId', () => ID, { nullable: true, description: 'Which one; left out: all of them.' })
    registrationId?: string | null,
  ) {
    const command = { connectionId, ...(registrationId && { registrationId }) };
    const { connection, failures } = await services.connections.unregisterWebhook(caller, command);
    return { connection, failures: failures.map(toRegistrationFailure) };
  }

  @RequiresScope('integrations:read')
  @FieldResolver(() => [WebhookRegistration], {
    description: 'What `registerWebhook` has set up at the provider to send here, oldest first.',
  })
  async registrations(@Root() { connectionId }: WebhookEndpoint, @Ctx() { loaders }: GraphQLContext) {
    return (await loaders.registrations.load(connectionId)) ?? [];
  }
}
