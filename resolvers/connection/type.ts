import { Field, ID, Int, ObjectType } from 'type-graphql';
import type { AuthMethod, Capability, JsonObject } from '../../src/connector/index.js';
import type { Access } from '../../src/credential/access.js';
import type { ConnectionStatus, HandshakeState } from '../../src/connection/status.js';
import type { ReceiptOutcome } from '../../src/receipt/receipt.entity.js';
import { IntegrationFailure } from '../action/type.js';
import { entityKey } from '../entity-key.js';
import { toEnum } from '../enum.js';
import { toPageType } from '../page.js';
import { IntegrationAuthMethod, IntegrationCapability } from '../provider/type.js';
import { IntegrationReceiptOutcome } from '../receipt/type.js';
import { DateTime, JSONObject, URLScalar } from '../scalars.js';
import { WebhookRegistrationFailure } from './registration-type.js';

export const IntegrationConnectionStatus = toEnum<ConnectionStatus>(
  'IntegrationConnectionStatus',
  'What someone decided, or must do, about a connection. What we observe lately is its health: two fields, never mixed.',
  {
    AUTHORIZING: 'Waits for a person’s consent at the provider.',
    PENDING_VERIFICATION: 'Has a credential that nobody has tried: call `verify`.',
    ACTIVE: 'The credential is known to work.',
    SUSPENDED: 'Put to rest by someone.',
    REAUTHORIZATION_REQUIRED: 'The provider wants a person’s consent again.',
    ERROR: 'The provider refused the credential; `statusReason` says what to do.',
    DELETED: 'Gone, with its secrets.',
  },
);

export const WebhookHandshake = toEnum<HandshakeState>(
  'WebhookHandshake',
  'How far a webhook’s secret has come that the provider hands out itself.',
  {
    AWAITED: 'Enter the URL at the provider: its first request brings the secret.',
    RECEIVED: 'It is here: `showWebhookSecret` or `showWebhookAppSecret` tells it, once.',
    SHOWN: 'It was told.',
  },
);

@ObjectType({ description: 'Why a connection is in its status, and what to do next.' })
export class StatusReason {
  @Field(() => String, { description: 'Stable, in lower_snake.' })
  code!: string;

  @Field(() => String, { description: 'What happened and what to do, for the tenant’s admin.' })
  message!: string;

  @Field(() => DateTime, { description: 'Since when.' })
  since!: string;
}

@ObjectType({ description: 'What may be known of a secret. The secret itself never leaves.' })
export class CredentialInfo {
  @Field(() => Int, { description: 'Counts up with every new secret.' })
  version!: number;

  @Field(() => Int, {
    description: 'Which version of the tenant’s encryption key seals it. Rotating the key counts it up.',
  })
  keyVersion!: number;

  @Field(() => DateTime, { description: 'When this version was stored.' })
  createdAt!: Date;

  @Field(() => [String], {
    nullable: true,
    description: 'Scopes granted at the provider, as of the last `verify`; null when it does not tell.',
  })
  scopes!: readonly string[] | null;
}

export const SecretAccessField = toEnum<Access['field']>(
  'SecretAccessField',
  'Which of a connection’s secrets.',
  {
    credential: 'What proves us to the provider.',
    webhook_secret: 'What proves the provider’s webhooks to us.',
  },
);

@ObjectType({ description: 'One use of a secret in clear.' })
export class SecretAccess {
  @Field(() => ID, { description: 'In the order of time.' })
  id!: string;

  @Field(() => SecretAccessField, { description: 'Which secret.' })
  field!: Access['field'];

  @Field(() => Int, {
    nullable: true,
    description: 'Which version of it; null where they are not counted.',
  })
  secretVersion!: number | null;

  @Field(() => String, {
    description: 'The `sub` of the token that asked for it, or `system` for what nobody asked for.',
  })
  actor!: string;

  @Field(() => String, { description: 'What for, such as `verify`, `action` or `webhook`.' })
  purpose!: string;

  @Field(() => String, { nullable: true, description: 'Joins it to the caller’s own decision.' })
  correlationId!: string | null;

  @Field(() => DateTime, { description: 'When.' })
  accessedAt!: Date;
}

export const SecretAccessPage = toPageType('SecretAccessPage', 'uses of secrets', () => SecretAccess);

@ObjectType({ description: 'The account at the provider that a credential belongs to.' })
export class ExternalAccount {
  @Field(() => ID, { description: 'The provider’s id of it.' })
  id!: string;

  @Field(() => String, { description: 'Its name at the provider.' })
  name!: string;

  @Field(() => URLScalar, { nullable: true, description: 'Where a person can see it.' })
  url?: string;
}

@ObjectType({ description: 'Where a connection’s webhooks arrive.' })
export class WebhookEndpoint {
  /** Not shown: whoever sees the endpoint came by its connection. */
  connectionId!: string;

  @Field(() => URLScalar, {
    description: 'What is entered at the provider. Its last part is a secret token.',
  })
  url!: string;

  @Field(() => DateTime, { description: 'When the endpoint was made.' })
  createdAt!: Date;

  @Field(() => DateTime, { description: 'When its current secret was made.' })
  secretCreatedAt!: Date;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Until when the previous secret counts as well; null before any was rotated.',
  })
  previousSecretUntil?: Date | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Until when the previous URL works as well; null before any was rotated.',
  })
  previousTokenUntil?: Date | null;

  @Field(() => WebhookHandshake, {
    nullable: true,
    description: 'Where the provider hands the secret out itself: how far that has come. Null elsewhere.',
  })
  handshake?: HandshakeState | null;
}

@entityKey
@ObjectType({ description: 'A tenant’s authorised link to a provider.' })
export class IntegrationConnection {
  @Field(() => ID, { description: 'Also the `producer_id` of its signals.' })
  id!: string;

  @Field(() => String, { description: 'Unique in the tenant for its provider.' })
  name!: string;

  @Field(() => String, { nullable: true, description: 'What it is for.' })
  description!: string | null;

  @Field(() => IntegrationConnectionStatus, { description: 'What someone decided, or must do, about it.' })
  status!: ConnectionStatus;

  @Field(() => StatusReason, {
    nullable: true,
    description: 'Why it is in this status; null when there is nothing to say.',
  })
  statusReason!: StatusReason | null;

  @Field(() => IntegrationAuthMethod, { description: 'How it proves itself to the provider.' })
  authMethod!: AuthMethod;

  @Field(() => ExternalAccount, {
    nullable: true,
    description: 'Who it is at the provider; null until it was verified.',
  })
  account!: ExternalAccount | null;

  @Field(() => [IntegrationCapability], { description: 'What it may be used for.' })
  capabilities!: readonly Capability[];

  @Field(() => JSONObject, { description: 'As `IntegrationProvider.settingsSchema` says.' })
  settings!: JsonObject;

  @Field(() => [String], { description: 'Words of the tenant’s own to find it by.' })
  tags!: readonly string[];

  @Field(() => DateTime, { description: 'When it was made.' })
  createdAt!: Date;

  @Field(() => DateTime, { description: 'When it last changed.' })
  updatedAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'When its credential last proved to work.' })
  verifiedAt!: Date | null;
}

export const IntegrationConnectionPage = toPageType(
  'IntegrationConnectionPage',
  'connections',
  () => IntegrationConnection,
);

@ObjectType({ description: 'What to enter at the provider so that its events arrive.' })
export class WebhookSetup {
  @Field(() => URLScalar, {
    description: 'Where the provider shall send to. Its last part is a secret token.',
  })
  url!: string;

  @Field(() => String, {
    nullable: true,
    description: 'What the provider shall sign with. Shown this once; null where only the URL is new.',
  })
  secret!: string | null;

  @Field(() => String, { nullable: true, description: 'What to do with the two, for the tenant’s admin.' })
  instructions?: string;
}

@ObjectType({ description: 'A connection that was just made.' })
export class ConnectPayload {
  @Field(() => IntegrationConnection, { description: 'Waits for `verify`.' })
  connection!: IntegrationConnection;

  @Field(() => URLScalar, {
    nullable: true,
    description:
      'For OAUTH2: open it in the browser of the person who consents, within ten minutes; null for the other methods.',
  })
  authorizationUrl!: string | null;

  @Field(() => WebhookSetup, { nullable: true, description: 'Null where the connection takes no webhooks.' })
  webhook!: WebhookSetup | null;
}

@ObjectType({ description: 'What came of a rotation.' })
export class RotatePayload {
  @Field(() => IntegrationConnection, { description: 'As it is now.' })
  connection!: IntegrationConnection;

  @Field(() => WebhookSetup, {
    nullable: true,
    description: 'What to enter at the provider instead, when a webhook’s secret or token was rotated.',
  })
  webhook!: WebhookSetup | null;

  @Field(() => IntegrationFailure, {
    nullable: true,
    description: 'Why the new credential was not taken; the connection then goes on with the one it has.',
  })
  failure!: IntegrationFailure | null;

  @Field(() => [WebhookRegistrationFailure], {
    description:
      'Webhooks at the provider that could not be told of a new URL or secret. Until the overlap ends they work on; then a person has to have mended them, or `registerWebhook`.',
  })
  registrationFailures!: readonly WebhookRegistrationFailure[];
}

@ObjectType({
  description: 'Something that was done to a connection, and how its status was before and after.',
})
export class ConnectionChange {
  @Field(() => String, {
    description:
      'What was done, as its receipt calls it: `connect`, `verify`, `rotate`, `update`, `suspend`, `resume`, `disconnect`; more may come.',
  })
  verb!: string;

  @Field(() => IntegrationReceiptOutcome, {
    description: 'What became of it, as its receipt attests: a refused verification is a change as well.',
  })
  outcome!: ReceiptOutcome;

  @Field(() => IntegrationConnectionStatus, {
    nullable: true,
    description: 'The status before; null for the change that made the connection.',
  })
  previousStatus!: ConnectionStatus | null;

  @Field(() => IntegrationConnectionStatus, { description: 'The status right after.' })
  status!: ConnectionStatus;

  @Field(() => DateTime, { description: 'When it was done.' })
  occurredAt!: Date;
}
