import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  type GraphQLField,
  type GraphQLObjectType,
  Kind,
  type OperationDefinitionNode,
  type ValueNode,
  parse,
  valueFromASTUntyped,
} from 'graphql';
import { buildSchema } from '../resolvers/schema.js';

const OPERATIONS = join(import.meta.dirname, '../schema/operations');

type Field = GraphQLField<unknown, unknown>;

/** A document of schema/operations: what it is for, and the fields of the roots that it asks for. */
interface Example {
  readonly file: string;
  readonly fields: ReadonlySet<string>;
}

/** The body of docs/api.md: every field of the three roots, with its scope, its arguments and an operation that uses it. */
export function apiBody(): readonly string[] {
  const { schema } = buildSchema();
  const examples = readExamples();
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  return [
    'Each field that an operation can begin with. The whole schema, with every type, is',
    '[schema/tributary.graphql](../schema/tributary.graphql); the operations are there to be copied, and come as typed',
    'documents from `tributary/operations`, for Node and for browsers.',
    '',
    '`integrations:admin` may do everything. A list takes `first` (1 to 200) and `after`, or `last` and `before` from its other end,',
    'and its `pageInfo` tells how to go on: see [Pages](http.md#pages). What operations may cost is [there](http.md#what-a-graphql-document-may-be), too.',
    ...roots.flatMap((root) => (root ? rootSection(root, examples) : [])),
  ];
}

function rootSection(root: GraphQLObjectType, examples: readonly Example[]): string[] {
  const fields = Object.values(root.getFields()).filter(({ name }) => !name.startsWith('_'));
  return [
    `\n## ${root.name}\n`,
    ...fields.toSorted(byName).flatMap((field) => fieldSection(root, field, examples)),
  ];
}

function byName(one: Field, other: Field): number {
  return one.name < other.name ? -1 : 1;
}

function fieldSection(root: GraphQLObjectType, field: Field, examples: readonly Example[]): string[] {
  const { name, type, args, description, deprecationReason } = field;
  const using = examples.filter(({ fields }) => fields.has(`${root.name}.${name}`)).map(({ file }) => file);
  return [
    `\n### ${name}\n`,
    `${description ?? ''}\n`,
    ...(deprecationReason ? [`**Deprecated**: ${deprecationReason}\n`] : []),
    `- answers \`${String(type)}\`; needs \`${scopeOf(field)}\``,
    ...args.map((arg) => `- \`${arg.name}: ${String(arg.type)}\` ${arg.description ?? ''}`),
    ...using.map((file) => `- example: [${file}](../schema/operations/${file})`),
  ];
}

/** The field's own: the first of the alternatives. */
function scopeOf({ astNode }: Field): string {
  const scopes = astNode?.directives?.find(({ name }) => name.value === 'requiresScopes')?.arguments?.[0];
  const [[own = ''] = []] = valueFromASTUntyped(scopes?.value as ValueNode) as readonly (readonly string[])[];
  return own;
}

function readExamples(): readonly Example[] {
  return readdirSync(OPERATIONS)
    .toSorted()
    .map((file) => {
      const { definitions } = parse(readFileSync(join(OPERATIONS, file), 'utf8'));
      const operations = definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
      return { file, fields: new Set(operations.flatMap(rootFieldsOf)) };
    });
}

function rootFieldsOf({ operation, selectionSet }: OperationDefinitionNode): string[] {
  const root = `${operation[0]?.toUpperCase()}${operation.slice(1)}`;
  return selectionSet.selections.flatMap((node) =>
    node.kind === Kind.FIELD ? [`${root}.${node.name.value}`] : [],
  );
}
