import { Field, ID, ObjectType } from 'type-graphql';
import type { RenewalFailure } from '../../src/connection/connection.entity.js';
import type { RegistrationFailure } from '../../src/connection/registered-webhooks.js';
import type { JsonObject, ProviderFailureDetails } from '../../src/connector/index.js';
import { IntegrationFailure } from '../action/type.js';
import { DateTime, JSONObject } from '../scalars.js';

@ObjectType({ description: 'A webhook that Tributary has set up at the provider, and looks after.' })
export class WebhookRegistration {
  @Field(() => ID, { description: 'For `unregisterWebhook`.' })
  id!: string;

  @Field(() => JSONObject, {
    description: 'About what it tells, as `webhookTargetSchema` of the provider says.',
  })
  target!: JsonObject;

  @Field(() => String, { description: 'The provider’s id of it.' })
  externalId!: string;

  @Field(() => [String], { description: 'What it is subscribed to, in the provider’s words.' })
  events!: readonly string[];

  @Field(() => DateTime, { description: 'When it was set up.' })
  createdAt!: Date;

  @Field(() => DateTime, {
    description: 'When the provider was last told its URL and secret, or it was renewed last.',
  })
  updatedAt!: Date;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When the provider lets it end. It is renewed a week before. Null where it does not end.',
  })
  expiresAt!: Date | null;

  @Field(() => IntegrationFailure, {
    nullable: true,
    description: 'Why it could not be renewed the last time; it is tried again. Null once it is.',
  })
  renewalFailure!: RenewalFailure | null;
}

@ObjectType({ description: 'A webhook at the provider that needs a person’s hand.' })
export class WebhookRegistrationFailure {
  @Field(() => WebhookRegistration, { description: 'Which one.' })
  registration!: WebhookRegistration;

  @Field(() => IntegrationFailure, { description: 'What the provider said.' })
  failure!: ProviderFailureDetails;
}

export function toRegistrationFailure({ registration, failure }: RegistrationFailure) {
  return { registration, failure: failure.details };
}
