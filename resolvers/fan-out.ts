import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  createSourceEventStream,
  execute,
  getOperationAST,
  visit,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { TributaryError } from '../src/core/errors.js';
import type { TailStream } from '../src/core/tail.js';
import type { GraphQLContext } from './context.js';
import { createTogether } from './together.js';

/** One subscription, by socket or by callback: what is asked, and the way back. */
export interface Subscriber {
  readonly args: ExecutionArgs & { readonly contextValue: GraphQLContext };
  /** Sends an answer, given as JSON. A promise resolves when there is room for the next: a slow reader is waited for. */
  deliver(json: string): Promise<void> | void;
}

/** See {@link createFanOut}. */
export interface FanOut {
  subscribe(subscriber: Subscriber): Promise<ExecutionResult | AsyncIterableIterator<ExecutionResult>>;
}

/** An answer to an event, as JSON. One with errors is not shared: each asker is told them under its own correlation id. */
type Answer = string | ExecutionResult;

/** Subscriptions that are equal: known by identity, which costs less to compare than what is equal about them. */
interface Group {
  subscribers: number;
}

type MaybePromise<T> = T | Promise<T>;

/** Answers are shared by who needs them at about the same time; who comes later finds what is true then. */
const SHARED_MS = 1_000;
const MAX_SHARED = 256;
/** Of the events that are there already, so many are executed together. */
const MAX_TOGETHER = 16;

/**
 * Executes subscriptions, and those that are equal only once an event: of the same tenant, with the same scopes, document
 * and variables, the cursor left aside, from which each began. The same text then goes to all of them. Each remains a
 * position of its own in the feed, and who may see what is decided for its own scopes, as they are part of what is equal.
 */
export function createFanOut(schema: GraphQLSchema, mostOfTenant: number): FanOut {
  const executeTogether = createTogether(schema);
  /** By event. Equal ones of different objects are different: what is read from the table for one is not shared with others. */
  const shared = new LRUCache<object, Map<Group, MaybePromise<Answer>>>({ max: MAX_SHARED, ttl: SHARED_MS });
  const groups = new Map<string, Group>();
  const byTenant = new Map<string, number>();

  /** Equal subscriptions share the answer to an event; who catches up alone would only push out what others share. */
  function answer(args: ExecutionArgs, group: Group, event: unknown): MaybePromise<Answer> {
    if (group.subscribers === 1 || typeof event !== 'object' || event === null)
      return executeFor(args, event);
    let answers = shared.get(event);
    if (!answers) shared.set(event, (answers = new Map()));
    const known = answers.get(group) ?? executeFor(args, event);
    answers.set(group, known);
    return known;
  }

  /** Who is alone has what is there already answered together with the event. */
  function answerAll(
    args: ExecutionArgs,
    group: Group,
    event: unknown,
    source: Source,
  ): MaybePromise<Answer[]> {
    const more = group.subscribers === 1 ? (source.takeReady?.(MAX_TOGETHER - 1) ?? []) : [];
    if (more.length > 0) return answerTogether(args, [event, ...more]);
    const one = answer(args, group, event);
    return one instanceof Promise ? one.then((told) => [told]) : [one];
  }

  async function answerTogether(args: ExecutionArgs, events: readonly unknown[]): Promise<Answer[]> {
    const texts = await executeTogether(args, events);
    if (texts) return [...texts];
    const answers: Answer[] = [];
    for (const event of events) answers.push(await executeFor(args, event));
    return answers;
  }

  function join(shape: string): Group {
    const group = groups.get(shape) ?? { subscribers: 0 };
    groups.set(shape, group);
    group.subscribers += 1;
    return group;
  }

  function leave(shape: string, group: Group): void {
    group.subscribers -= 1;
    if (group.subscribers === 0) groups.delete(shape);
  }

  function add(tenantId: string, change: 1 | -1): void {
    const left = (byTenant.get(tenantId) ?? 0) + change;
    if (left === 0) byTenant.delete(tenantId);
    else byTenant.set(tenantId, left);
  }

  return {
    async subscribe({ args, deliver }) {
      const { tenantId } = args.contextValue.caller;
      if ((byTenant.get(tenantId) ?? 0) >= mostOfTenant) return refuse(mostOfTenant);
      // Counted before anything is waited for: others ask at the same moment.
      add(tenantId, 1);
      const release = once(() => add(tenantId, -1));
      try {
        const events = await createSourceEventStream(args);
        if (!(Symbol.asyncIterator in events)) {
          release();
          return events;
        }
        const shape = shapeOf(args);
        const group = join(shape);
        const end = once(() => {
          leave(shape, group);
          release();
        });
        return answered(events, (event, source) => answerAll(args, group, event, source), deliver, end);
      } catch (error) {
        release();
        throw error;
      }
    },
  };
}

function refuse(most: number): ExecutionResult {
  const message = `A tenant has at most ${most} subscriptions at once in one process; end some, or come back later.`;
  const originalError = new TributaryError('RATE_LIMITED', message, { limit: most });
  return { errors: [new GraphQLError(message, { originalError })] };
}

function once(run: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) run();
    isDone = true;
  };
}

/** Events; of a tail's, those that are there already can be had together. */
type Source = AsyncIterator<unknown> & Partial<Pick<TailStream<unknown>, 'takeReady'>>;

/** Answers without errors are delivered on the way; the others come out, to be formatted for this one subscriber. */
function answered(
  events: AsyncIterable<unknown>,
  answer: (event: unknown, source: Source) => MaybePromise<Answer[]>,
  deliver: Subscriber['deliver'],
  release: () => void,
): AsyncIterableIterator<ExecutionResult> {
  const source: Source = events[Symbol.asyncIterator]();
  /** Not delivered yet. */
  let answers: Answer[] = [];
  let isOver = false;
  async function end(): Promise<IteratorReturnResult<undefined>> {
    isOver = true;
    release();
    await source.return?.();
    return { value: undefined, done: true };
  }
  return {
    async next() {
      try {
        for (;;) {
          const next = isOver ? undefined : answers.shift();
          if (next === undefined) {
            const { value, done } = await source.next();
            if (done) return await end();
            const told = answer(value, source);
            answers = told instanceof Promise ? await told : told;
            continue;
          }
          if (typeof next !== 'string') return { value: next, done: false };
          const taken = deliver(next);
          if (taken) await taken;
        }
      } catch (error) {
        // Who is told of a failure asks for no more, and does not end what has failed.
        await end();
        throw error;
      }
    },
    return: end,
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** At once where nothing has to be waited for, as with most signals: a promise costs each of its subscribers. */
function executeFor(args: ExecutionArgs, event: unknown): MaybePromise<Answer> {
  const result = execute({ ...args, rootValue: event });
  return result instanceof Promise ? result.then(toAnswer) : toAnswer(result);
}

function toAnswer(result: ExecutionResult): Answer {
  return result.errors ? result : JSON.stringify(result);
}

/** What makes the answers to two subscriptions the same. */
function shapeOf({ document, operationName, variableValues, contextValue }: Subscriber['args']): string {
  const { tenantId, scopes } = contextValue.caller;
  const operation = getOperationAST(document, operationName);
  const names = operation ? [...variablesOf(document, operation)].toSorted() : [];
  const variables = names.map((name) => [name, variableValues?.[name]]);
  return JSON.stringify([
    tenantId,
    [...scopes].toSorted(),
    document.loc?.source.body,
    operationName,
    variables,
  ]);
}

/** Variables that an answer may depend on: all but those that only say from where to begin. */
function variablesOf(document: DocumentNode, operation: OperationDefinitionNode): Set<string> {
  const names = new Set<string>();
  visit(document, {
    VariableDefinition: () => false,
    Argument: (argument, _key, _parent, _path, ancestors) =>
      argument.name.value === 'after' && isRootArgument(ancestors, operation) ? false : undefined,
    Variable: ({ name }) => void names.add(name.value),
  });
  return names;
}

/** Document, definitions, operation, selection set, selections, field: such are the ancestors of a root field's argument. */
function isRootArgument(ancestors: readonly unknown[], operation: OperationDefinitionNode): boolean {
  const fields = ancestors.filter((one) => (one as { kind?: unknown }).kind === Kind.FIELD);
  return fields.length === 1 && ancestors.includes(operation);
}
