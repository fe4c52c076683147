import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  type ExecutionArgs,
  type FormattedExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  execute,
} from 'graphql';
import { CloseCode, type Context, GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws';
import { type Extra, useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import type { Identity } from '../src/core/auth.js';
import type { Caller } from '../src/core/caller.js';
import { TributaryError } from '../src/core/errors.js';
import { type Operation, type Origin, beginOperation, originOf, within } from '../src/core/operation.js';
import { createContext } from './context.js';
import { toFormattedError } from './errors.js';
import { atExpiry } from './expiry.js';
import type { FanOut, Subscriber } from './fan-out.js';
import { prepare } from './prepare.js';
import { type GraphQLDeps, identify } from './request.js';

const PATH = /^\/graphql(?:$|\?)/;
const KEEP_ALIVE_MS = 12_000;
/** WebSocket close code registry: the client may come again. */
const TRY_AGAIN_LATER = 1013;

/** What a socket knows once it has proven who it is. */
type Session = Extra & { caller?: Caller & Identity; origin?: Origin } & Record<PropertyKey, unknown>;
type Connected = Context<Record<string, unknown>, Session>;

/**
 * GraphQL over WebSocket (graphql-transport-ws) on the port and path of HTTP. A socket lives as long as its token: then
 * it is closed with 4403, and the client comes back with a fresh one and its cursor.
 */
export function attachSockets(
  server: Server,
  schema: GraphQLSchema,
  deps: GraphQLDeps & { readonly fanOut: FanOut },
): { close(): Promise<void> } {
  const { services, authenticator, log, fanOut, limits } = deps;
  const { GRAPHQL_MAX_SOCKET_OPERATIONS: mostOperations } = limits;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.GRAPHQL_MAX_MESSAGE_BYTES,
    // One message of a socket, then it is the others' turn: thousands may have come in one piece.
    allowSynchronousEvents: false,
    handleProtocols: (offered) => offered.has(GRAPHQL_TRANSPORT_WS_PROTOCOL) && GRAPHQL_TRANSPORT_WS_PROTOCOL,
  });
  /** What gives up waiting for the end of a session's token. */
  const expiries = new Map<Session, () => void>();
  const asked = new WeakMap<
    ExecutionArgs,
    { readonly operation: Operation; readonly subscriber: Subscriber }
  >();

  async function authenticate({ connectionParams, extra }: Connected): Promise<boolean> {
    const { headers } = extra.request;
    const given = connectionParams?.['authorization'] ?? headers.authorization;
    const origin = originOf(connectionParams, headers);
    const { correlationId } = origin;
    extra.origin = origin;
    try {
      const authorization = typeof given === 'string' ? given : undefined;
      extra.caller = await identify(authenticator, authorization, correlationId);
    } catch (error) {
      if (error instanceof TributaryError && error.code === 'UNAUTHENTICATED') return false;
      // Thrown on, it would be printed past the log, and its message told to the client.
      log.error({ err: error, correlationId }, 'graphql: the token of a socket could not be checked');
      extra.socket.close(TRY_AGAIN_LATER, 'Try again later');
      return false;
    }
    // Gone while its token was checked: onClose has run, and nobody would take the timer away again.
    if (extra.socket.readyState !== extra.socket.OPEN) return false;
    expiries.set(
      extra,
      atExpiry(extra.caller.expiresAt, () => closeExpired(extra)),
    );
    return true;
  }

  const format = (extra: Session, errors: readonly GraphQLError[]) => {
    const correlationId = extra.caller?.correlationId ?? '';
    const context = { log, metrics: deps.metrics, correlationId, hidesNames: deps.environment === 'prod' };
    return errors.map((error) => toFormattedError(error.toJSON(), error, context));
  };

  /** Under what the message belongs to, and so is all that comes of a subscription later. */
  async function answer(
    args: ExecutionArgs,
    work: (subscriber: Subscriber) => ReturnType<FanOut['subscribe']>,
  ): ReturnType<FanOut['subscribe']> {
    const known = asked.get(args);
    if (!known) throw new Error('graphql-ws executes nothing but what onSubscribe has answered');
    const { operation, subscriber } = known;
    try {
      const result = await operation.run(() => work(subscriber));
      return Symbol.asyncIterator in result ? within(operation, result) : result;
    } finally {
      operation.end();
    }
  }

  const graphql = useServer<Record<string, unknown>, Session>(
    {
      connectionInitWaitTimeout: limits.GRAPHQL_MAX_INIT_SECONDS * 1_000,
      onConnect: authenticate,
      // Messages of exceptions are for the log.
      isProd: true,
      onSubscribe: async ({ subscriptions, extra }, id, payload) => {
        if (Object.keys(subscriptions).length > mostOperations) {
          const message = `A socket carries at most ${mostOperations} operations at once; open another socket.`;
          return [new GraphQLError(message, { originalError: new TributaryError('RATE_LIMITED', message) })];
        }
        const { caller, origin } = requireKnown(extra);
        const contextValue = createContext(services, caller);
        const operation = beginOperation(origin);
        const args = await operation.run(() => prepare(schema, payload, contextValue, deps)).catch(toErrors);
        if ('length' in args) operation.end();
        else {
          const head = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
          const deliver = (json: string) => send(extra, `${head}${json}}`);
          asked.set(args, { operation, subscriber: { args: { ...args, contextValue }, deliver } });
        }
        return args;
      },
      execute: (args) => answer(args, async () => execute(args)),
      subscribe: (args) => answer(args, (subscriber) => fanOut.subscribe(subscriber)),
      onError: ({ extra }, _id, _payload, errors) => format(extra, errors),
      onNext: ({ extra }, _id, _payload, _args, result) => {
        if (!result.errors) return undefined;
        return { ...result, errors: format(extra, result.errors) } as FormattedExecutionResult;
      },
      onClose: ({ extra }) => {
        expiries.get(extra)?.();
        expiries.delete(extra);
      },
    },
    sockets,
    KEEP_ALIVE_MS,
  );

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (!PATH.test(request.url ?? '')) return void socket.destroy();
    sockets.handleUpgrade(request, socket, head, (opened) => {
      sockets.emit('connection', opened, request);
      // graphql-ws would print what broken or oversized messages are to standard error. ws closes the socket itself.
      opened.removeAllListeners('error').on('error', ({ message }) => {
        log.warn({ error: message }, 'graphql: a socket broke');
      });
    });
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

function requireKnown({ caller, origin }: Session): { readonly caller: Caller; readonly origin: Origin } {
  if (caller && origin) return { caller, origin };
  throw new Error('graphql-ws executes nothing before onConnect has let the socket in');
}

/** Thrown on, a bug would be printed past the log, and would end the socket. */
function toErrors(cause: unknown): readonly GraphQLError[] {
  const originalError = cause instanceof Error ? cause : new Error(String(cause));
  return [new GraphQLError(originalError.message, { originalError })];
}

/** Of one socket, on its way without anybody waiting for it: some dozens of signals for who catches up. */
const UNWAITED_BYTES = 64 * 1024;

/**
 * Sends a text. Where there is much to take already, the promise resolves when the socket has taken it. What is sent in
 * one turn of the event loop leaves in one write.
 */
function send({ socket, request: { socket: line } }: Session, message: string): Promise<void> | void {
  if (socket.readyState !== socket.OPEN) return;
  if (line.writableCorked === 0) {
    line.cork();
    process.nextTick(uncork, line);
  }
  if (socket.bufferedAmount < UNWAITED_BYTES) return socket.send(message);
  return new Promise((resolve, reject) => {
    socket.send(message, (error) => (error ? reject(error) : resolve()));
  });
}

function uncork(line: Duplex): void {
  line.uncork();
}

function closeExpired({ socket }: Session): void {
  socket.close(CloseCode.Forbidden, 'The token has expired');
}
