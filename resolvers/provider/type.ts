import { Field, ID, Int, ObjectType } from 'type-graphql';
import type {
  AuthMethod,
  Capability,
  Category,
  IdempotencyGuarantee,
  JsonSchema,
  Stage,
} from '../../src/connector/index.js';
import { entityKey } from '../entity-key.js';
import { toEnum } from '../enum.js';
import { DateTime, JSONObject, URLScalar } from '../scalars.js';

export const IntegrationCategory = toEnum<Category>(
  'IntegrationCategory',
  'What kind of tool a provider is.',
  {
    SOURCE_CONTROL: 'Hosts code, branches and pull requests.',
    CI_CD: 'Builds, tests and deploys.',
    ISSUE_TRACKER: 'Keeps issues, tickets and boards.',
    CHAT: 'Carries conversations.',
    EMAIL: 'Sends and receives mail.',
    KNOWLEDGE: 'Keeps pages and documents.',
    OBSERVABILITY: 'Measures, logs, traces and alarms.',
    INCIDENT: 'Pages people and runs incidents.',
    CLOUD: 'Runs infrastructure.',
    IDENTITY: 'Keeps users, groups and logins.',
    ITSM: 'Runs service desks and changes.',
    CRM: 'Keeps customers and deals.',
    ERP: 'Keeps orders, stock and books.',
    HR: 'Keeps employees.',
    AI: 'Serves models.',
    GENERIC: 'Anything that speaks HTTP.',
  },
);

export const IntegrationStage = toEnum<Stage>('IntegrationStage', 'How far a connector has come.', {
  ALPHA: 'May change without notice.',
  BETA: 'Complete enough to rely on; details may still change.',
  GA: 'Stable.',
  DEPRECATED: 'Still works; will be removed.',
});

export const IntegrationCapability = toEnum<Capability>(
  'IntegrationCapability',
  'What a connector can do with its provider.',
  {
    WEBHOOK: 'Takes the provider’s webhooks.',
    POLLING: 'Asks the provider for what is new.',
    ACTIONS: 'Does things at the provider.',
    PROXY: 'Passes signed requests through.',
    ENRICHMENT: 'Looks details up at the provider.',
  },
);

export const IntegrationAuthMethod = toEnum<AuthMethod>(
  'IntegrationAuthMethod',
  'How a connection proves itself to its provider.',
  {
    OAUTH2: 'OAuth 2.0 with a person’s consent.',
    OAUTH2_CLIENT_CREDENTIALS: 'OAuth 2.0 between machines.',
    API_KEY: 'A key of the provider’s.',
    BASIC: 'User name and password.',
    BEARER: 'A token sent as it is.',
    IAM_ROLE: 'A role of a cloud account.',
    SERVICE_ACCOUNT: 'A key file of a service account.',
    NONE: 'The provider asks for no proof.',
  },
);

export const IdempotencyGuarantees = toEnum<IdempotencyGuarantee>(
  'IdempotencyGuarantee',
  'How a repeated action is kept to one effect at this provider.',
  {
    NATIVE: 'The provider itself refuses or absorbs the second one.',
    RECONCILED: 'We look for the effect of the first before sending again.',
    AT_MOST_ONCE: 'We never send again; what can’t be found out is UNCONFIRMED.',
  },
);

@ObjectType({ description: 'A version of the provider’s API that the connector can speak.' })
export class ApiVersion {
  @Field(() => String, { description: 'The provider’s own name of it.' })
  version!: string;

  @Field(() => Boolean, { description: 'Whether the connector speaks it now.' })
  default!: boolean;

  @Field(() => Boolean, { description: 'Whether the provider advises against it.' })
  deprecated!: boolean;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When the provider stops serving it, if it has said so.',
  })
  sunsetAt?: string;
}

@ObjectType({ description: 'A scope to grant at the provider, and why.' })
export class ScopeRequirement {
  @Field(() => String, { description: 'The provider’s name of the scope.' })
  scope!: string;

  @Field(() => [IntegrationCapability], { description: 'What needs it.' })
  capabilities!: readonly Capability[];

  @Field(() => String, { description: 'Why, for whoever grants it.' })
  reason!: string;
}

@ObjectType({ description: 'A verb that the provider’s connector can carry out.' })
export class ActionDefinition {
  @Field(() => String, { description: 'The canonical verb: the name of its field in ActionInput.' })
  type!: string;

  @Field(() => String, { description: 'A few words for a menu.' })
  title!: string;

  @Field(() => String, { description: 'What it does at this provider.' })
  description!: string;

  @Field(() => JSONObject, { description: 'JSON Schema of what the verb takes.' })
  inputSchema!: JsonSchema;

  @Field(() => JSONObject, { description: 'JSON Schema of `ActionResult.output`.' })
  outputSchema!: JsonSchema;

  @Field(() => [String], {
    description: 'Scopes at the provider, any one of which is enough; empty when none is needed.',
  })
  requiredScopes!: readonly string[];

  @Field(() => IdempotencyGuarantees, { description: 'How a repetition is kept to one effect.' })
  idempotency!: IdempotencyGuarantee;
}

@ObjectType({ description: 'A kind of signal that the provider’s events become.' })
export class TriggerDefinition {
  @Field(() => String, { description: 'The canonical type: `Signal.type`.' })
  signalType!: string;

  @Field(() => String, { description: 'A few words for a menu.' })
  title!: string;

  @Field(() => [String], { description: 'The provider’s own names of the events.' })
  providerEvents!: readonly string[];

  @Field(() => [IntegrationCapability], { description: 'The ways such events come in.' })
  via!: readonly Capability[];
}

@ObjectType({ description: 'A rate limit of the provider’s that the connector keeps.' })
export class RateLimitRule {
  @Field(() => String, { description: 'What is counted together.' })
  bucket!: string;

  @Field(() => Int, { description: 'How many calls the bucket holds.' })
  points!: number;

  @Field(() => Int, { description: 'How long it takes to fill again.' })
  durationSeconds!: number;

  @Field(() => URLScalar, { nullable: true, description: 'The provider’s page that says so.' })
  source?: string;
}

@ObjectType({ description: 'What a credential of one method consists of.' })
export class CredentialSchema {
  @Field(() => IntegrationAuthMethod, { description: 'The method.' })
  authMethod!: AuthMethod;

  @Field(() => JSONObject, { description: 'JSON Schema of its secret fields.' })
  schema!: JsonSchema;
}

@entityKey
@ObjectType({ description: 'An outside system that Tributary can join to the graph.' })
export class IntegrationProvider {
  @Field(() => ID, { description: 'Its name in lower case: `github`.' })
  id!: string;

  @Field(() => String, { description: 'Its name for people.' })
  name!: string;

  @Field(() => String, { description: 'What it brings to the graph.' })
  description!: string;

  @Field(() => IntegrationCategory, { description: 'What kind of tool it is.' })
  category!: Category;

  @Field(() => IntegrationStage, { description: 'How far its connector has come.' })
  stage!: Stage;

  @Field(() => String, { description: 'The connector’s own semantic version.' })
  version!: string;

  @Field(() => [ApiVersion], {
    description: 'Versions of the provider’s API, side by side while it migrates.',
  })
  apiVersions!: readonly ApiVersion[];

  @Field(() => [IntegrationAuthMethod], { description: 'The ways to prove oneself to it.' })
  authMethods!: readonly AuthMethod[];

  @Field(() => [IntegrationCapability], { description: 'What its connector can do.' })
  capabilities!: readonly Capability[];

  @Field(() => [ScopeRequirement], { description: 'The least to grant at the provider, per capability.' })
  scopes!: readonly ScopeRequirement[];

  @Field(() => JSONObject, { description: 'JSON Schema of `connect(input: { settings })`.' })
  settingsSchema!: JsonSchema;

  @Field(() => JSONObject, {
    description:
      'JSON Schema of `connect(input: { credential })`: the secret fields, for the methods that `credentialSchemas` does not name.',
  })
  credentialSchema!: JsonSchema;

  @Field(() => [CredentialSchema], { description: 'Methods whose credential has fields of its own.' })
  credentialSchemas!: readonly CredentialSchema[];

  @Field(() => [ActionDefinition], { description: 'The verbs it can do.' })
  actions!: readonly ActionDefinition[];

  @Field(() => [TriggerDefinition], { description: 'The signals its events become.' })
  triggers!: readonly TriggerDefinition[];

  @Field(() => JSONObject, {
    nullable: true,
    description:
      'JSON Schema of `registerWebhook(input: { target })`; null where webhooks have to be set up by hand.',
  })
  webhookTargetSchema!: JsonSchema | null;

  @Field(() => [RateLimitRule], { description: 'The limits that its connector keeps.' })
  rateLimits!: readonly RateLimitRule[];

  @Field(() => URLScalar, { description: 'The provider’s own documentation of its API.' })
  documentationUrl!: string;

  @Field(() => URLScalar, { nullable: true, description: 'A picture for menus.' })
  logoUrl?: string;
}
