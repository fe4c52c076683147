import { Field, ID, InputType } from 'type-graphql';
import type { ConnectCommand } from '../../src/connection/connect.js';
import type { ConnectionStatus } from '../../src/connection/status.js';
import type { AuthMethod, Capability } from '../../src/connector/index.js';
import { given } from '../given.js';
import { IntegrationAuthMethod, IntegrationCapability } from '../provider/type.js';
import { JSONObject } from '../scalars.js';
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
      'The secret fields of `IntegrationProvider.credentialSchema`, such as `{ token }`. Stored sealed.',
  })
  credential?: Record<string, unknown> | null;

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
