import { Field, ID, InputType, ObjectType } from 'type-graphql';
import type { RegisterCommand } from '../../src/connection/webhook-registration.js';
import type { ProviderFailureDetails } from '../../src/connector/index.js';
import { IntegrationFailure } from '../action/type.js';
import { JSONObject } from '../scalars.js';
import { WebhookRegistration, WebhookRegistrationFailure } from './registration-type.js';
import { IntegrationConnection } from './type.js';

@InputType({ description: 'A webhook to set up at the provider.' })
export class RegisterWebhookInput {
  @Field(() => ID, { description: 'The connection.' })
  connectionId!: string;

  @Field(() => JSONObject, {
    description: 'About what it shall tell, as `IntegrationProvider.webhookTargetSchema` says.',
  })
  target!: Record<string, unknown>;

  @Field(() => [String], {
    nullable: true,
    description:
      'Which of `IntegrationProvider.triggers` it shall bring, by their `signalType`. Left out: all that the provider has a name for.',
  })
  signalTypes?: string[] | null;
}

@ObjectType({ description: 'What came of setting a webhook up.' })
export class RegisterWebhookPayload {
  @Field(() => IntegrationConnection, { description: 'As it is now.' })
  connection!: IntegrationConnection;

  @Field(() => WebhookRegistration, { nullable: true, description: 'Null where the provider did not do it.' })
  registration!: WebhookRegistration | null;

  @Field(() => IntegrationFailure, {
    nullable: true,
    description:
      'Why the provider did not do it. Doing it again is safe: a webhook with the same URL is found.',
  })
  failure!: ProviderFailureDetails | null;
}

@ObjectType({ description: 'What came of taking webhooks away.' })
export class UnregisterWebhookPayload {
  @Field(() => IntegrationConnection, { description: 'As it is now.' })
  connection!: IntegrationConnection;

  @Field(() => [WebhookRegistrationFailure], { description: 'Those that the provider did not take away.' })
  failures!: readonly WebhookRegistrationFailure[];
}

/** The input as the connection service takes it. */
export function toRegisterCommand({
  connectionId,
  target,
  signalTypes,
}: RegisterWebhookInput): RegisterCommand {
  return { connectionId, target, ...(signalTypes && { signalTypes }) };
}
