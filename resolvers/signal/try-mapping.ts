import { Arg, Ctx, Field, ID, InputType, Int, ObjectType, Query, Resolver } from 'type-graphql';
import type { SignalDraft } from '../../src/connector/index.js';
import { RequiresScope } from '../authorize.js';
import type { GraphQLContext } from '../context.js';
import { given } from '../given.js';
import { JSONObject } from '../scalars.js';

@InputType({ description: 'A delivery to try a mapping on, and the settings to read it by.' })
export class TryMappingInput {
  @Field(() => ID, {
    nullable: true,
    defaultValue: 'generic',
    description: 'A provider that maps by settings.',
  })
  providerId?: string | null;

  @Field(() => JSONObject, {
    description: 'As `IntegrationProvider.settingsSchema` says; they need not be those of a connection.',
  })
  settings!: Record<string, unknown>;

  @Field(() => JSONObject, {
    nullable: true,
    description: 'The delivery’s headers, as text each. Its signature is not looked at.',
  })
  headers?: Record<string, string> | null;

  @Field(() => String, { description: 'The delivery’s body, as it is sent: JSON as text.' })
  body!: string;
}

@ObjectType({ description: 'What is wrong with settings, with a delivery, or with what a mapping made.' })
export class MappingProblem {
  @Field(() => String, {
    description: 'Where: `settings.mapping`, `body`, or a place in what the mapping made, as in `[1].type`.',
  })
  path!: string;

  @Field(() => String, { description: 'What is wrong there.' })
  problem!: string;

  @Field(() => Int, {
    nullable: true,
    description: 'In the expression, from 1; null where that is not known.',
  })
  line!: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'The same, in the line: behind the word that JSONata stumbled at.',
  })
  column!: number | null;
}

@ObjectType({ description: 'What would become of a delivery.' })
export class TriedMapping {
  @Field(() => String, { nullable: true, description: 'Its id; null where it can’t be read or named.' })
  eventId!: string | null;

  @Field(() => String, { nullable: true, description: 'Its type; null where it can’t be read or named.' })
  eventType!: string | null;

  @Field(() => [JSONObject], {
    description:
      'The signals: `type`, `identity`, `payload` and so on. None: it would be kept as one `provider_event`.',
  })
  signals!: readonly object[];

  @Field(() => [MappingProblem], {
    description: 'Why there are none; with any, a delivery that comes is kept as a dead letter or refused.',
  })
  problems!: readonly MappingProblem[];
}

@Resolver()
export class TryMappingResolver {
  @RequiresScope('integrations:admin')
  @Query(() => TriedMapping, {
    description: 'Tries a mapping on a delivery, before any connection has it. Nothing is stored.',
  })
  async tryMapping(
    @Arg('input', () => TryMappingInput, { description: 'The delivery and the settings.' })
    { settings, body, ...rest }: TryMappingInput,
    @Ctx() { services, caller }: GraphQLContext,
  ): Promise<TriedMapping> {
    const tried = await services.deliveries.tryMapping(caller, { ...given(rest), settings, body });
    const { event, signals, problems } = tried;
    return {
      eventId: event?.id ?? null,
      eventType: event?.type ?? null,
      signals: signals.map(toJson),
      problems,
    };
  }
}

function toJson({ occurredAt, ...draft }: SignalDraft): object {
  return { ...draft, occurredAt: occurredAt?.toISOString() ?? null };
}
