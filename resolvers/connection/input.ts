import { Field, ID, InputType, Int } from 'type-graphql';
import type { ConnectCommand } from '../../src/connection/connect.js';
import type { UpdateCommand } from '../../src/connection/update.js';
import type { RotateCommand, RotateTarget } from '../../src/connection/rotate.js';
import type { ConnectionStatus } from '../../src/connection/status.js';
import type { AuthMethod, Capability } from '../../src/connector/index.js';
import { toEnum } from '../enum.js';
import { given } from '../given.js';
import { IntegrationAuthMethod, IntegrationCapability } from '../provider/type.js';
import { JSONObject, URLScalar } from '../scalars.js';
import { IntegrationConnectionStatus } from './type.js';

@InputType({ description: 'A connection to make.' })
export class ConnectInput {
  @Field(() => ID, { description: 'The provider, such as `github`.' })
  providerId!: string;

  @Field(() => String, { description: '1 to 100 characters, unique in the tenant for its provider.' })
  name!: string;

  @Field(() => String, { nullable: true, description: 'What it is for, at most 1,000 characters.' })
  description?: string | null;

  @Field(() => IntegrationAuthMethod, { description: 'One of `IntegrationProvider.authMethods`.' })
  authMethod!: AuthMethod;

  @Field(() => JSONObject, {
    nullable: true,
    description:
      'The secret fields of `IntegrationProvider.credentialSchema`, such as `{ token }`; `{ clientId, clientSecret }` for OAUTH2_CLIENT_CREDENTIALS; left out for OAUTH2. Each may be a reference such as `vault://…` instead, and so may the whole: `{ reference }`. Stored sealed.',
  })
  credential?: Record<string, unknown> | null;

  @Field(() => URLScalar, {
    nullable: true,
    description:
      'For OAUTH2: where the browser goes after the consent; one of the operator’s OAUTH_RETURN_TO. Left out: a plain page.',
  })
  returnTo?: string | null;

  @Field(() => JSONObject, { nullable: true, description: 'As `IntegrationProvider.settingsSchema` says.' })
  settings?: Record<string, unknown> | null;

  @Field(() => [IntegrationCapability], {
    nullable: true,
    description: 'What it may be used for. Left out: all that the connector can do.',
  })
  capabilities?: Capability[] | null;

  @Field(() => [String], { nullable: true, description: 'Words of your own to find it by, at most 20.' })
  tags?: string[] | null;
}

export const RotateTargetEnum = toEnum<RotateTarget>('RotateTarget', 'What is replaced by a new one.', {
  CREDENTIAL: 'What calls to the provider are signed with; the new one is given.',
  WEBHOOK_SECRET: 'What the provider signs webhooks with; the new one is made and shown.',
  ENCRYPTION_KEY:
    'The key that seals the secrets of the whole tenant. What is sealed already is sealed anew in the background.',
  WEBHOOK_TOKEN: 'The secret part of the webhook’s URL; the new one is made and shown.',
});

@InputType({ description: 'What to replace by a new one.' })
export class RotateInput {
  @Field(() => ID, { description: 'The connection.' })
  connectionId!: string;

  @Field(() => RotateTargetEnum, { description: 'Which of its secrets.' })
  what!: RotateTarget;

  @Field(() => JSONObject, {
    nullable: true,
    description:
      'For CREDENTIAL: the new one, as `IntegrationProvider.credentialSchema` says. It is tried before it replaces the old one.',
  })
  credential?: Record<string, unknown> | null;

  @Field(() => String, {
    nullable: true,
    description:
      'For WEBHOOK_SECRET: the one that the provider has made and shown to its admin. Left out: we make one and show it, or ask the provider where it makes that of a registered webhook.',
  })
  webhookSecret?: string | null;

  @Field(() => Int, {
    nullable: true,
    defaultValue: 86_400,
    description:
      'For a webhook: how many seconds the old secret or URL counts beside the new one, at most 30 days.',
  })
  overlapSeconds?: number | null;
}

@InputType({ description: 'What to change. A field that is left out stays as it is.' })
export class UpdateConnectionInput {
  @Field(() => ID, { description: 'The connection.' })
  connectionId!: string;

  @Field(() => String, { nullable: true, description: 'Its new name: 1 to 100 characters.' })
  name?: string | null;

  @Field(() => String, { nullable: true, description: 'Its new description; null takes it away.' })
  description?: string | null;

  @Field(() => [String], { nullable: true, description: 'Its new tags, all of them.' })
  tags?: string[] | null;

  @Field(() => JSONObject, {
    nullable: true,
    description:
      'Its new settings, all of them, as `IntegrationProvider.settingsSchema` says. Those of an ACTIVE connection are tried first.',
  })
  settings?: Record<string, unknown> | null;

  @Field(() => JSONObject, {
    nullable: true,
    description:
      'For settings that name another address of the provider: a credential for that, which replaces the one there is.',
  })
  credential?: Record<string, unknown> | null;
}

@InputType({ description: 'Which connections. Every given field must match.' })
export class ConnectionFilter {
  @Field(() => ID, { nullable: true, description: 'To this provider.' })
  providerId?: string | null;

  @Field(() => IntegrationConnectionStatus, {
    nullable: true,
    description: 'In this status. Left out: all but DELETED.',
  })
  status?: ConnectionStatus | null;

  @Field(() => String, { nullable: true, description: 'With this tag.' })
  tag?: string | null;
}

/** The input as the connection service takes it. */
export function toConnectCommand(input: ConnectInput): ConnectCommand {
  const { providerId, name, authMethod } = input;
  return { ...given(input), providerId, name, authMethod };
}

/** The input as the connection service takes it. */
export function toRotateCommand({ connectionId, what, ...rest }: RotateInput): RotateCommand {
  return { connectionId, what, ...given(rest) };
}

/** The input as the connection service takes it. Here null means something: no description any more. */
export function toUpdateCommand({
  description,
  connectionId,
  ...rest
}: UpdateConnectionInput): UpdateCommand {
  return { connectionId, ...given(rest), ...(description !== undefined && { description }) };
}
