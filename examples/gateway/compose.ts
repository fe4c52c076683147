import { composeServices } from '@theguild/federation-composition';
import { parse } from 'graphql';

/** One subgraph: where a gateway asks it, and its SDL. */
export interface Subgraph {
  readonly name: string;
  readonly url: string;
  readonly sdl: string;
}

/** The supergraph's SDL, with Federation's directives for gateways. Throws every reason why the subgraphs don't fit. */
export function compose(subgraphs: readonly Subgraph[]): string {
  const { supergraphSdl, errors = [] } = composeServices(
    subgraphs.map(({ name, url, sdl }) => ({ name, url, typeDefs: parse(sdl) })),
  );
  if (supergraphSdl) return supergraphSdl;
  throw new Error(errors.map(({ message }) => message).join('\n'));
}
