import {
  type ConstDirectiveNode,
  type DefinitionNode,
  type DocumentNode,
  type EnumTypeDefinitionNode,
  type FieldDefinitionNode,
  type InputObjectTypeDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  type ScalarTypeDefinitionNode,
  type TypeNode,
  parse,
} from 'graphql';

/** What a field costs that asks the database, or a provider, on its own: as much as so many values. */
const WEIGHT = 50;
/** What a list without `first` is taken for: evidence, recent errors, a provider's verbs. */
const LIST_SIZE = 10;

type Described =
  | ObjectTypeDefinitionNode
  | InputObjectTypeDefinitionNode
  | EnumTypeDefinitionNode
  | ScalarTypeDefinitionNode;

/**
 * Puts on the fields what routers and {@link file://./limits.ts} count an operation's cost by, and marks what belongs to
 * the contract for partners. All of it follows from the schema, so that nobody has to keep it in mind.
 */
export function annotate(document: DocumentNode): DocumentNode {
  const types = new Map<string, Described>();
  for (const node of document.definitions) if (isDescribed(node)) types.set(node.name.value, node);
  const reached = reachable(types);
  const definitions = document.definitions.map((node) => {
    if (!isDescribed(node)) return node;
    if (node.kind !== Kind.OBJECT_TYPE_DEFINITION) return reached.has(node.name.value) ? tagged(node) : node;
    const fields = node.fields?.map((field) => {
      const costly = { ...field, directives: [...(field.directives ?? []), ...costsOf(node, field)] };
      return reached.has(node.name.value) && isForPartners(node, field) ? taggedField(costly) : costly;
    });
    return { ...node, ...(fields && { fields }) };
  });
  return { ...document, definitions };
}

function isDescribed(node: DefinitionNode): node is Described {
  return (
    node.kind === Kind.OBJECT_TYPE_DEFINITION ||
    node.kind === Kind.INPUT_OBJECT_TYPE_DEFINITION ||
    node.kind === Kind.ENUM_TYPE_DEFINITION ||
    node.kind === Kind.SCALAR_TYPE_DEFINITION
  );
}

function costsOf(parent: ObjectTypeDefinitionNode, field: FieldDefinitionNode): ConstDirectiveNode[] {
  if (field.arguments?.some(({ name }) => name.value === 'first')) return [COST, PAGE];
  if (parent.name.value === 'Mutation') return [COST];
  const isPage = parent.fields?.some(({ name }) => name.value === 'pageInfo');
  return isList(field.type) && !isPage ? [LIST] : [];
}

function isList(type: TypeNode): boolean {
  return type.kind === Kind.NON_NULL_TYPE ? isList(type.type) : type.kind === Kind.LIST_TYPE;
}

/** The types that partners meet, from the roots on. */
function reachable(types: ReadonlyMap<string, Described>): ReadonlySet<string> {
  const reached = new Set<string>();
  const reach = (name: string): void => {
    const type = types.get(name);
    if (!type || reached.has(name)) return;
    reached.add(name);
    if (type.kind === Kind.INPUT_OBJECT_TYPE_DEFINITION)
      for (const field of type.fields ?? []) reach(nameOf(field.type));
    if (type.kind !== Kind.OBJECT_TYPE_DEFINITION) return;
    for (const field of type.fields?.filter((one) => isForPartners(type, one)) ?? [])
      for (const { type: used } of [field, ...(field.arguments ?? [])]) reach(nameOf(used));
  };
  for (const root of ROOTS) reach(root);
  return reached;
}

const ROOTS = new Set(['Query', 'Mutation', 'Subscription']);
/** What a partner's token has: it reads, and it acts. Who connects, audits and administers is the tenant itself. */
const PARTNERS = new Set(['integrations:read', 'integrations:execute']);

function isForPartners(parent: ObjectTypeDefinitionNode, field: FieldDefinitionNode): boolean {
  const scopes = field.directives?.find(({ name }) => name.value === 'requiresScopes')?.arguments?.[0]?.value;
  // The first of the alternatives is the field's own scope; the other is the admin's, who may do everything.
  const first = scopes?.kind === Kind.LIST ? scopes.values[0] : undefined;
  const own = first?.kind === Kind.LIST ? first.values[0] : undefined;
  if (own?.kind !== Kind.STRING) return !ROOTS.has(parent.name.value);
  return PARTNERS.has(own.value);
}

function nameOf(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : nameOf(type.type);
}

function tagged<T extends { readonly directives?: readonly ConstDirectiveNode[] | undefined }>(node: T): T {
  return { ...node, directives: [...(node.directives ?? []), PUBLIC] };
}

/** A contract has no argument that is not tagged itself. */
function taggedField(field: FieldDefinitionNode): FieldDefinitionNode {
  return tagged({ ...field, ...(field.arguments && { arguments: field.arguments.map(tagged) }) });
}

function directive(text: string): ConstDirectiveNode {
  const [definition] = parse(`type T ${text} { f: Int }`, { noLocation: true }).definitions;
  return (definition as ObjectTypeDefinitionNode).directives![0]!;
}

const PUBLIC = directive('@tag(name: "public")');
const COST = directive(`@cost(weight: ${WEIGHT})`);
const LIST = directive(`@listSize(assumedSize: ${LIST_SIZE})`);
const PAGE = directive(
  '@listSize(slicingArguments: ["first", "last"], sizedFields: ["nodes"], requireOneSlicingArgument: false)',
);
