import { Field, ID, ObjectType } from 'type-graphql';
import { entityKey } from '../entity-key.js';

@entityKey
@ObjectType({
  description:
    'The company, or part of one, that a token speaks for. Owned by another subgraph; resolvable here, so that its integrations hang on it.',
})
export class Tenant {
  @Field(() => ID, { description: 'The token’s `tenant_id`.' })
  id!: string;
}
