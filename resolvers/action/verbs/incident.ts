import { Field, InputType } from 'type-graphql';
import type { VerbInput } from '../../../src/connector/index.js';
import { toEnum } from '../../enum.js';
import { MARKDOWN, optional } from './shared.js';

type Urgency = NonNullable<VerbInput<'createIncident'>['urgency']>;

export const IncidentUrgency = toEnum<Urgency>('IncidentUrgency', 'How soon someone has to look.', {
  HIGH: 'At once.',
  LOW: 'When there is time.',
});

@InputType({ description: 'An incident to open.' })
export class CreateIncidentInput {
  @Field(() => String, { description: 'The id of the service that is in trouble, at the provider.' })
  service!: string;

  @Field(() => String, { description: 'One line, at most 255 characters.' })
  title!: string;

  @Field(() => String, { ...optional, description: MARKDOWN })
  body?: string | null;

  @Field(() => IncidentUrgency, { ...optional, description: 'Left out: the provider’s default.' })
  urgency?: Urgency | null;
}

@InputType({ description: 'An incident to resolve.' })
export class ResolveIncidentInput {
  @Field(() => String, { description: 'The incident’s id at the provider.' })
  incident!: string;

  @Field(() => String, { ...optional, description: `What resolved it. ${MARKDOWN}` })
  note?: string | null;
}
