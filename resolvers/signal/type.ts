import { Field, Float, ID, Int, ObjectType } from 'type-graphql';
import type { CorrelationHint as Hint, JsonObject, SignalKind as Kind } from '../../src/connector/index.js';
import { IntegrationConnection } from '../connection/type.js';
import { entityKey } from '../entity-key.js';
import { toEnum } from '../enum.js';
import { toPageType } from '../page.js';
import { Cursor, DateTime, JSONObject, URLScalar } from '../scalars.js';
import { Tenant } from '../tenant/type.js';

type Environment = 'dev' | 'stage' | 'prod';

export const SignalKind = toEnum<Kind>('SignalKind', 'What sort of thing a signal tells.', {
  event: 'Something happened.',
  metric: 'A number was measured.',
  log: 'A line was written.',
  trace: 'A span was recorded.',
});

export const SignalEnvironment = toEnum<Environment>(
  'SignalEnvironment',
  'Which of our environments took it in.',
  {
    dev: 'Development.',
    stage: 'Staging.',
    prod: 'Production.',
  },
);

export const CorrelationHintType = toEnum<Hint['type']>(
  'CorrelationHintType',
  'By what a signal can be joined to others.',
  {
    resource_id: 'The same thing: a commit, an issue key.',
    temporal: 'The same moment.',
    metadata: 'The same words about it.',
  },
);

@ObjectType({ description: 'Where something happened.', simpleResolvers: true })
export class SignalResource {
  @Field(() => String, { nullable: true, description: '`owner/name`, as the provider writes it.' })
  repository?: string;

  @Field(() => String, { nullable: true, description: 'Without `refs/heads/`.' })
  branch?: string;

  @Field(() => String, { nullable: true, description: 'The pull request’s number, as text.' })
  prId?: string;

  @Field(() => String, { nullable: true, description: 'Full hash.' })
  commit?: string;

  @Field(() => String, { nullable: true, description: 'The service it is about.' })
  service?: string;

  @Field(() => String, { nullable: true, description: 'The provider’s environment, such as `production`.' })
  environment?: string;
}

@ObjectType({ description: 'A link at which a person can see the thing itself.', simpleResolvers: true })
export class EvidenceLink {
  @Field(() => String, { description: 'What it shows: `pull_request`, `commit`, `build` …' })
  type!: string;

  @Field(() => URLScalar, { description: 'Where it is.' })
  url!: string;

  @Field(() => String, { nullable: true, description: 'What it is called.' })
  title?: string;
}

@ObjectType({ description: 'Something to join a signal to others by.', simpleResolvers: true })
export class CorrelationHint {
  @Field(() => CorrelationHintType, { description: 'By what.' })
  type!: Hint['type'];

  @Field(() => String, { description: 'What the others carry too.' })
  value!: string;

  @Field(() => Float, { description: 'How telling it is, 0 to 1.' })
  confidence!: number;
}

/** What is no property of a signal as it is stored is read by {@link file://./fields.ts}. */
@entityKey
@ObjectType({
  description: 'One thing that happened at a provider, in one shape for all providers.',
  simpleResolvers: true,
})
export class Signal {
  @Field(() => ID, { description: 'The same however often, and by whichever way, the event comes.' })
  id!: string;

  @Field(() => SignalEnvironment, { description: 'Which of our environments took it in.' })
  environment!: Environment;

  @Field(() => SignalKind, { description: 'What sort of thing it tells.' })
  kind!: Kind;

  @Field(() => String, { description: 'The canonical type: `pr_opened`, `issue_created`, `chat_message` …' })
  type!: string;

  @Field(() => DateTime, { description: 'When it happened, as the provider says.' })
  occurredAt!: Date;

  @Field(() => DateTime, { description: 'When it reached us.' })
  ingestedAt!: Date;

  @Field(() => String, { nullable: true, description: 'The provider’s id of the event.' })
  correlationId!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The trace it came in with: 32 hex digits, as W3C Trace Context has them.',
  })
  traceId!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The span of that trace to go on from: 16 hex digits.',
  })
  spanId!: string | null;

  @Field(() => String, { description: 'Semantic version of the envelope’s shape.' })
  schemaVersion!: string;

  @Field(() => String, { description: 'Its place in the order of commits, in decimal: it outgrows 32 bits.' })
  sequence!: string;

  @Field(() => Int, {
    description:
      'How often a replay told it anew: 0 for what was told once. The id stays, `sequence` moves to the end.',
  })
  revision!: number;

  @Field(() => DateTime, { nullable: true, description: 'When it was last told anew; null when never.' })
  revisedAt!: Date | null;

  @Field(() => Tenant, { description: 'Whose signal it is.' })
  tenant!: Tenant;

  @Field(() => IntegrationConnection, {
    description: 'How it came in; its id is the envelope’s `producer_id`.',
  })
  connection!: IntegrationConnection;

  @Field(() => SignalResource, {
    nullable: true,
    description: 'Where it happened; null when nothing says so.',
  })
  resource!: SignalResource | null;

  @Field(() => JSONObject, {
    description: 'Canonical fields in snake_case, `provider_metadata` and `canonical_keys`.',
  })
  payload!: JsonObject;

  @Field(() => [EvidenceLink], { description: 'Where a person can see the thing itself.' })
  evidence!: EvidenceLink[];

  @Field(() => [CorrelationHint], { description: 'What to join it to other signals by.' })
  correlationHints!: CorrelationHint[];

  @Field(() => Cursor, { description: 'Its place in the feed: `after` resumes behind it.' })
  cursor!: string;
}

export const SignalPage = toPageType('SignalPage', 'signals', () => Signal);
