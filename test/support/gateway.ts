import { parse, print, visit } from 'graphql';
import { onTestFinished } from 'vitest';
import { compose } from '../../examples/gateway/compose.js';
import { startGateway } from '../../examples/gateway/gateway.js';
import { servicesSdl, startServices } from '../../examples/gateway/services.js';
import { buildSchema } from '../../resolvers/schema.js';
import { type TestCaller, createCaller } from './app.js';

/** The two subgraphs of the example as one graph. */
export interface Supergraph {
  /** The supergraph's SDL without scopes: @apollo/gateway refuses a graph that has any, as it can't enforce them. */
  readonly unscopedSdl: string;
  /** Base address of a Hive Gateway over it: its endpoint is `<url>/graphql`. */
  readonly url: string;
  /** Somebody who asks the gateway, with a token of the subgraph's. */
  caller(token: string): TestCaller;
}

/** The example's gateway and second subgraph in front of a Tributary. Closed when the running test ends. */
export async function useSupergraph(tributaryUrl: string): Promise<Supergraph> {
  const services = await startServices(0);
  onTestFinished(() => services.close());
  const composeWith = (sdl: string) =>
    compose([
      { name: 'tributary', url: `${tributaryUrl}/graphql`, sdl },
      { name: 'services', url: services.url, sdl: servicesSdl },
    ]);
  const { sdl } = buildSchema();
  const gateway = await startGateway(composeWith(sdl), 0);
  onTestFinished(() => gateway.close());
  const url = new URL(gateway.url).origin;
  return {
    unscopedSdl: composeWith(withoutScopes(sdl)),
    url,
    caller(token) {
      const caller = createCaller(url, token);
      return {
        ...caller,
        socket() {
          const client = caller.socket();
          onTestFinished(() => void client.dispose());
          return client;
        },
      };
    },
  };
}

const SCOPES = new Set(['authenticated', 'requiresScopes']);

const isScope = (name: string): boolean => SCOPES.has(name.replace('@', ''));

function withoutScopes(sdl: string): string {
  return print(
    visit(parse(sdl), {
      Directive: ({ name }) => (isScope(name.value) ? null : undefined),
      // Among the imports of @link.
      StringValue: ({ value }) => (isScope(value) ? null : undefined),
    }),
  );
}
