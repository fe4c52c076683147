import {
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLFieldConfig,
  GraphQLList,
  GraphQLObjectType,
  GraphQLSchema,
  defaultFieldResolver,
  execute,
} from 'graphql';

type MaybePromise<T> = T | Promise<T>;

/**
 * Executes a subscription once for several events: to look at document, variables and selections for each by itself costs
 * about as much as to read the fields. Answers each event's result as JSON, in their order; undefined where there was
 * any error, or no field to answer: then each is to be executed by itself.
 */
export type ExecuteTogether = (
  args: ExecutionArgs,
  events: readonly unknown[],
) => MaybePromise<readonly string[] | undefined>;

export function createTogether(schema: GraphQLSchema): ExecuteTogether {
  const listing = toListing(schema);
  return (args, events) => {
    const result = execute({ ...args, schema: listing, rootValue: events });
    return result instanceof Promise ? result.then(toTexts) : toTexts(result);
  };
}

/**
 * The same types, but that a subscription answers a list of what it answers. A document that is valid for the one can be
 * executed by the other, as a list is selected from like what is in it.
 */
function toListing(schema: GraphQLSchema): GraphQLSchema {
  const { subscription, types, ...config } = schema.toConfig();
  if (!subscription) return schema;
  const { fields, ...rest } = subscription.toConfig();
  const listed = Object.entries(fields).map(([name, field]) => [name, toListed(field)] as const);
  return new GraphQLSchema({
    ...config,
    types: types.filter((type) => type !== subscription),
    subscription: new GraphQLObjectType({ ...rest, fields: Object.fromEntries(listed) }),
    assumeValid: true,
  });
}

type Field = GraphQLFieldConfig<unknown, unknown>;

function toListed({ type, resolve = defaultFieldResolver, ...field }: Field): Field {
  return {
    ...field,
    type: new GraphQLList(type),
    resolve: (events, ...rest) => (events as readonly unknown[]).map((event) => resolve(event, ...rest)),
  };
}

/** As if each were `JSON.stringify({ data: { [name]: answer } })`. */
function toTexts({ data, errors }: ExecutionResult): readonly string[] | undefined {
  const [field, ...others] = Object.entries(data ?? {});
  if (errors || !field || others.length > 0) return undefined;
  const [name, answers] = field;
  const head = `{"data":{${JSON.stringify(name)}:`;
  return (answers as readonly unknown[]).map((answer) => `${head}${JSON.stringify(answer)}}}`);
}
