import { type ExecutionResult, GraphQLError, Kind } from 'graphql';
import { TributaryError } from '../../src/core/errors.js';
import type { HttpClient } from '../../src/outbound/client.js';
import { toFormattedError } from '../errors.js';
import type { FanOut, Subscriber } from '../fan-out.js';
import type { GraphQLDeps } from '../request.js';
import { type Line, RouterGone, createLine } from './line.js';
import { type CallbackRequest, toCallbackRequest } from './request.js';
import { type Running, run } from './run.js';

/** Subscriptions whose events are posted to a router, by Apollo's HTTP callback protocol. */
export interface Callbacks {
  /**
   * Begins one, once the router has confirmed it. Throws INVALID_INPUT, CALLBACK_REFUSED, SHUTTING_DOWN, and whatever
   * refuses the subscription itself.
   */
  begin(extension: unknown, args: Subscriber['args']): Promise<void>;
  /** Ends all of them, and says so to their routers. */
  close(): Promise<void>;
}

export interface CallbackDeps extends Pick<GraphQLDeps, 'log' | 'metrics' | 'environment'> {
  readonly fanOut: FanOut;
  /** Reaches the operator's own addresses, wherever they are. */
  readonly operatorClient: HttpClient;
  /** Below which addresses callbacks go; empty: there are no such subscriptions. */
  readonly callbackUrls: readonly string[];
}

/** One that runs, and how to be quick about its end. */
type Known = Running & Pick<Line, 'hurry'>;

/**
 * Not Apollo's plugin for it: that posts to any address which a caller names, past the limits of tenants, goes on when
 * the token has ended, and tells routers the messages of exceptions.
 */
export function createCallbacks(deps: CallbackDeps): Callbacks {
  const { fanOut, operatorClient, callbackUrls, log } = deps;
  /** By address and id; undefined until the router has confirmed. */
  const known = new Map<string, Known | undefined>();
  let isClosed = false;

  /** Takes its place before the router is asked, and reads nothing before it has confirmed. */
  async function confirm(asked: CallbackRequest, args: Subscriber['args']): Promise<Known> {
    const { tell, tellOnce, hurry } = createLine(operatorClient, asked);
    const deliver = (json: string): Promise<void> => tell('next', `"payload":${json}`);
    const events = await fanOut.subscribe({ args, deliver });
    if (!(Symbol.asyncIterator in events)) throw refusalOf(events);
    try {
      await tellOnce('check').catch(refuse);
      if (isClosed) throw stopping();
    } catch (error) {
      await events.return?.();
      throw error;
    }
    const { caller, expiresAt = new Date(0) } = args.contextValue;
    const { correlationId } = caller;
    const context = { ...deps, correlationId, hidesNames: deps.environment === 'prod' };
    const running = run({
      tell,
      events,
      expiresAt,
      heartbeatMs: asked.heartbeatMs,
      expired: new TributaryError('UNAUTHENTICATED', 'The token has expired; subscribe with a fresh one.'),
      format: (errors) => errors.map((error) => toTold(error, context)),
      onGone: ({ message }) =>
        log.warn({ error: message, correlationId }, 'graphql: a subscription by callback has ended'),
    });
    return { ...running, hurry };
  }

  return {
    async begin(extension, args) {
      const asked = toCallbackRequest(extension, callbackUrls);
      const key = `${asked.url.href} ${asked.id}`;
      if (isClosed) throw stopping();
      if (known.has(key)) throw new TributaryError('CALLBACK_REFUSED', 'This subscription runs already.');
      known.set(key, undefined);
      try {
        const running = await confirm(asked, args);
        known.set(key, running);
        void forget(running.done, key);
      } catch (error) {
        known.delete(key);
        throw error;
      }
    },
    async close() {
      isClosed = true;
      const running = [...known.values()].filter((one) => one !== undefined);
      for (const { stop, hurry } of running) {
        hurry();
        stop(stopping());
      }
      await Promise.allSettled(running.map(({ done }) => done));
    },
  };

  async function forget(done: Promise<void>, key: string): Promise<void> {
    try {
      await done;
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'graphql: a router could not be told of an end');
    } finally {
      known.delete(key);
    }
  }
}

function toTold(error: Error, context: Parameters<typeof toFormattedError>[2]): object {
  const { message } = error;
  const wrapped = error instanceof GraphQLError ? error : new GraphQLError(message, { originalError: error });
  return toFormattedError(wrapped.toJSON(), wrapped, context);
}

function stopping(): TributaryError {
  return new TributaryError(
    'SHUTTING_DOWN',
    'This process is stopping: subscribe again behind the last cursor.',
  );
}

function refuse(error: unknown): never {
  if (!(error instanceof RouterGone)) throw error;
  throw new TributaryError('CALLBACK_REFUSED', `The subscription was not confirmed. ${error.message}`);
}

/** What subscribing was refused with, as it can be thrown. */
function refusalOf({ errors = [] }: ExecutionResult): Error {
  const [error = new GraphQLError('Nothing came of subscribing.')] = errors;
  if (error.originalError) return error.originalError;
  if (error.nodes?.[0]?.kind === Kind.VARIABLE_DEFINITION)
    Object.assign(error.extensions, { code: 'BAD_USER_INPUT', http: { status: 400 } });
  return error;
}
