import { Directive } from 'type-graphql';

/** Makes a type an entity of the supergraph: other subgraphs may refer to it by its id. */
export const entityKey = Directive('@key(fields: "id")');
