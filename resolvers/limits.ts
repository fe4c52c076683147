import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
  getArgumentValues,
  getNamedType,
  getVariableValues,
  isObjectType,
} from 'graphql';
import { MAX_PAGE } from '../src/core/page.js';

/** How much may be asked of us at once, as the operator has set it: see docs/config.md. */
export type GraphQLLimits = Readonly<
  Record<
    | 'GRAPHQL_MAX_COST'
    | 'GRAPHQL_MAX_TOKENS'
    | 'GRAPHQL_MAX_DEPTH'
    | 'GRAPHQL_MAX_ROOT_FIELDS'
    | 'GRAPHQL_MAX_REPEATS'
    | 'GRAPHQL_MAX_SPREADS'
    | 'GRAPHQL_MAX_REPRESENTATIONS'
    | 'GRAPHQL_MAX_BODY_BYTES'
    | 'GRAPHQL_MAX_MESSAGE_BYTES'
    | 'GRAPHQL_MAX_SOCKET_OPERATIONS'
    | 'GRAPHQL_MAX_SUBSCRIPTIONS'
    | 'GRAPHQL_MAX_INIT_SECONDS',
    number
  >
>;

/** Refuses operations nested deeper than anything a person writes; introspection has its own, deeper shape. */
export function depthLimit({ GRAPHQL_MAX_DEPTH: most }: GraphQLLimits): ValidationRule {
  return (context) => ({
    OperationDefinition(operation) {
      if (createMeasure(context)(operation.selectionSet) <= most) return;
      context.reportError(
        new GraphQLError(`An operation may be nested ${most} levels deep.`, { nodes: operation }),
      );
    },
  });
}

/**
 * How deep a selection goes, fragments unfolded. Each fragment is measured once: unfolded each time, a few fragments
 * that spread one another thirty times over would keep this busy for hours.
 */
function createMeasure(context: ValidationContext) {
  const fragments = new Map<string, number>();

  function depthOfFragment(name: string): number {
    const known = fragments.get(name);
    if (known !== undefined) return known;
    // A circle is reported by another rule; here it only has to end.
    fragments.set(name, 0);
    const depth = depthOf(context.getFragment(name)?.selectionSet);
    fragments.set(name, depth);
    return depth;
  }

  function depthOf(set: SelectionSetNode | undefined): number {
    let deepest = 0;
    for (const node of set?.selections ?? []) {
      if (node.kind === Kind.FRAGMENT_SPREAD) deepest = Math.max(deepest, depthOfFragment(node.name.value));
      else if (node.kind === Kind.INLINE_FRAGMENT) deepest = Math.max(deepest, depthOf(node.selectionSet));
      else if (!node.name.value.startsWith('__')) deepest = Math.max(deepest, 1 + depthOf(node.selectionSet));
    }
    return deepest;
  }

  return depthOf;
}

/** An operation that has passed validation, and what it is asked with. */
export interface Request {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly limits: GraphQLLimits;
}

/**
 * The operation's price, as {@link countValues} has it. Throws GRAPHQL_VALIDATION_FAILED where that is too high. No rule
 * of validation, as these don't know the variables, and a page is as large as its variable says.
 */
export function requireAffordable(request: Request): number {
  const { GRAPHQL_MAX_COST: most } = request.limits;
  const values = countValues(request);
  if (values <= most) return values;
  throw refusal(
    `This may answer ${values} values, and at most ${most} are answered at once. Pages inside pages multiply: lower \`first\`, or ask for the inner lists on their own.`,
    request.operation,
  );
}

/** How many fields an answer may have at most, as far as the document tells. */
export function countValues(request: Request): number {
  const { schema, operation, variables } = request;
  const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
  // Variables that are no good end the operation before anything is asked; execution says what is wrong with them.
  if (!coerced) return 0;
  return createPrice(request, coerced)(operation.selectionSet, schema.getRootType(operation.operation));
}

/**
 * How many values a selection may answer. As with depth, each fragment is worked out once; one that is spread twice
 * counts twice, although execution merges the two where they meet: too much is safe, and simple.
 */
function createPrice({ schema, document, limits }: Request, variables: Record<string, unknown>) {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of document.definitions)
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  const known = new Map<string, number>();

  function ofFragment(name: string): number {
    const fragment = fragments.get(name);
    const price =
      known.get(name) ??
      ofSet(fragment?.selectionSet, schema.getType(fragment?.typeCondition.name.value ?? ''));
    known.set(name, price);
    return price;
  }

  function ofField(node: FieldNode, parent: GraphQLNamedType | undefined): number {
    const field = isObjectType(parent) ? parent.getFields()[node.name.value] : undefined;
    // `__typename`, and introspection, which answers as much as the schema has, whoever asks.
    if (!field) return node.name.value === '__typename' ? 1 : 0;
    const size = sizeOf(node, field, variables, limits);
    return weightOf(field) + size * (1 + ofSet(node.selectionSet, getNamedType(field.type)));
  }

  function ofNode(node: SelectionNode, parent: GraphQLNamedType | undefined): number {
    if (node.kind === Kind.FRAGMENT_SPREAD) return ofFragment(node.name.value);
    if (node.kind === Kind.FIELD) return ofField(node, parent);
    const { typeCondition } = node;
    return ofSet(node.selectionSet, typeCondition ? schema.getType(typeCondition.name.value) : parent);
  }

  function ofSet(set: SelectionSetNode | undefined, parent: GraphQLNamedType | null | undefined): number {
    let price = 0;
    for (const node of set?.selections ?? []) price += ofNode(node, parent ?? undefined);
    return price;
  }

  return ofSet;
}

/** What the field costs beside its values: `@cost`. */
function weightOf({ astNode }: GraphQLField<unknown, unknown>): number {
  return Number(argumentOf(astNode, 'cost', 'weight') ?? 0);
}

/** How many times a field's selection is answered. What `first` may not be is refused by the list itself. */
function sizeOf(
  node: FieldNode,
  field: GraphQLField<unknown, unknown>,
  variables: Record<string, unknown>,
  { GRAPHQL_MAX_REPRESENTATIONS: mostRepresentations }: GraphQLLimits,
): number {
  const takes = (name: string) => field.args.some((argument) => argument.name === name);
  if (takes('first')) {
    const { first, last } = getArgumentValues(field, node, variables);
    const size = last ?? first;
    return typeof size === 'number' ? Math.min(Math.max(size, 1), MAX_PAGE) : MAX_PAGE;
  }
  if (takes('representations')) {
    const { representations } = getArgumentValues(field, node, variables);
    return requireFew(representations as readonly unknown[], mostRepresentations, node);
  }
  // The nodes of a page have no size of their own: they have been counted by the field that took `first`.
  return Number(argumentOf(field.astNode, 'listSize', 'assumedSize') ?? 1);
}

function argumentOf(
  field: GraphQLField<unknown, unknown>['astNode'],
  directive: string,
  name: string,
): string | undefined {
  const { arguments: given } = field?.directives?.find((one) => one.name.value === directive) ?? {};
  const value = given?.find((argument) => argument.name.value === name)?.value;
  return value && 'value' in value ? String(value.value) : undefined;
}

function requireFew({ length }: readonly unknown[], most: number, node: FieldNode): number {
  if (length <= most) return length;
  throw refusal(
    `_entities takes at most ${most} representations at once, not ${length}: ask several times.`,
    node,
  );
}

/** GraphQL's own code for a document that it refuses, whichever rule says so. */
export function refusal(message: string, node?: FieldNode | OperationDefinitionNode): GraphQLError {
  const extensions = { code: 'GRAPHQL_VALIDATION_FAILED', http: { status: 400 } };
  return new GraphQLError(message, { ...(node && { nodes: node }), extensions });
}
