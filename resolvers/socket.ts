import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  type ExecutionArgs,
  type FormattedExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  subscribe,
} from 'graphql';
import { CloseCode, type Context, GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws';
import { type Extra, useServer } from 'graphql-ws/use/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Identity, correlationIdOf } from '../src/core/auth.js';
import type { Caller } from '../src/core/caller.js';
import { TributaryError } from '../src/core/errors.js';
import { createContext } from './context.js';
import { toFormattedError } from './errors.js';
import { type Subscriber, createFanOut } from './fan-out.js';
import { prepare } from './prepare.js';
import { type GraphQLDeps, identify } from './request.js';

const PATH = /^\/graphql(?:$|\?)/;
const MAX_MESSAGE_BYTES = 64 * 1024;
const INIT_TIMEOUT_MS = 3_000;
const KEEP_ALIVE_MS = 12_000;
const MAX_SUBSCRIPTIONS = 100;
/** WebSocket close code registry: the client may come again. */
const TRY_AGAIN_LATER = 1013;

/** setTimeout counts in 31 bits: a token that lives longer than 24 days is looked at again then. */
const MAX_TIMER_MS = 2_147_483_647;

/** What a socket knows once it has proven who it is. */
type Session = Extra & { caller?: Caller & Identity } & Record<PropertyKey, unknown>;
type Connected = Context<Record<string, unknown>, Session>;

/**
 * GraphQL over WebSocket (graphql-transport-ws) on the port and path of HTTP. A socket lives as long as its token: then
 * it is closed with 4403, and the client comes back with a fresh one and its cursor.
 */
export function attachSockets(
  server: Server,
  schema: GraphQLSchema,
  deps: GraphQLDeps,
): { close(): Promise<void> } {
  const { services, authenticator, log } = deps;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: (offered) => offered.has(GRAPHQL_TRANSPORT_WS_PROTOCOL) && GRAPHQL_TRANSPORT_WS_PROTOCOL,
  });
  const expiries = new Map<Session, NodeJS.Timeout>();
  const fanOut = createFanOut();
  const subscribers = new WeakMap<ExecutionArgs, Subscriber>();

  async function authenticate({ connectionParams, extra }: Connected): Promise<boolean> {
    const { headers } = extra.request;
    const given = connectionParams?.['authorization'] ?? headers.authorization;
    try {
      extra.caller = await identify(
        authenticator,
        typeof given === 'string' ? given : undefined,
        correlationIdOf(headers),
      );
    } catch (error) {
      if (error instanceof TributaryError && error.code === 'UNAUTHENTICATED') return false;
      // Thrown on, it would be printed past the log, and its message told to the client.
      log.error({ err: error }, 'graphql: the token of a socket could not be checked');
      extra.socket.close(TRY_AGAIN_LATER, 'Try again later');
      return false;
    }
    // Gone while its token was checked: onClose has run, and nobody would take the timer away again.
    if (extra.socket.readyState !== extra.socket.OPEN) return false;
    watchExpiry(extra, extra.caller);
    return true;
  }

  function watchExpiry(session: Session, identity: Identity): void {
    const left = identity.expiresAt.getTime() - Date.now();
    const look = () => (left > MAX_TIMER_MS ? watchExpiry(session, identity) : closeExpired(session));
    expiries.set(session, setTimeout(look, Math.min(Math.max(0, left), MAX_TIMER_MS)));
  }

  const format = (extra: Session, errors: readonly GraphQLError[]) => {
    const correlationId = extra.caller?.correlationId ?? '';
    const context = { log, metrics: deps.metrics, correlationId, hidesNames: deps.environment === 'prod' };
    return errors.map((error) => toFormattedError(error.toJSON(), error, context));
  };

  const graphql = useServer<Record<string, unknown>, Session>(
    {
      connectionInitWaitTimeout: INIT_TIMEOUT_MS,
      onConnect: authenticate,
      // Messages of exceptions are for the log.
      isProd: true,
      onSubscribe: ({ subscriptions, extra }, id, payload) => {
        if (Object.keys(subscriptions).length <= MAX_SUBSCRIPTIONS) {
          const contextValue = createContext(services, requireCaller(extra));
          const args = prepare(schema, payload, contextValue, deps);
          if (!('length' in args)) {
            subscribers.set(args, {
              args: { ...args, contextValue },
              deliver: (json) => send(extra.socket, id, json),
            });
          }
          return args;
        }
        const message = `A socket carries at most ${MAX_SUBSCRIPTIONS} operations at once; open another socket.`;
        return [new GraphQLError(message, { originalError: new TributaryError('RATE_LIMITED', message) })];
      },
      subscribe: (args) => {
        const subscriber = subscribers.get(args);
        return subscriber ? fanOut.subscribe(subscriber) : subscribe(args);
      },
      onError: ({ extra }, _id, _payload, errors) => format(extra, errors),
      onNext: ({ extra }, _id, _payload, _args, result) => {
        if (!result.errors) return undefined;
        return { ...result, errors: format(extra, result.errors) } as FormattedExecutionResult;
      },
      onClose: ({ extra }) => {
        clearTimeout(expiries.get(extra));
        expiries.delete(extra);
      },
    },
    sockets,
    KEEP_ALIVE_MS,
  );

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (!PATH.test(request.url ?? '')) return void socket.destroy();
    sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened, request));
  };
  server.on('upgrade', upgrade);

  return {
    async close() {
      server.off('upgrade', upgrade);
      // 1001, "going away": clients come back, to another process, with the cursor they have.
      await graphql.dispose();
      await new Promise<void>((resolve) => {
        sockets.close(() => resolve());
      });
    },
  };
}

function requireCaller({ caller }: Session): Caller {
  if (caller) return caller;
  throw new Error('graphql-ws executes nothing before onConnect has let the socket in');
}

/** A `next` message whose payload is text already. Resolves when the socket has taken it. */
function send(socket: WebSocket, id: string, json: string): Promise<void> {
  const message = `{"id":${JSON.stringify(id)},"type":"next","payload":${json}}`;
  return new Promise((resolve, reject) => {
    if (socket.readyState !== socket.OPEN) resolve();
    else socket.send(message, (error) => (error ? reject(error) : resolve()));
  });
}

function closeExpired({ socket }: Session): void {
  socket.close(CloseCode.Forbidden, 'The token has expired');
}
