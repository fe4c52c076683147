import {
  type DocumentNode,
  GraphQLError,
  Kind,
  OperationTypeNode,
  type SelectionSetNode,
  parse,
} from 'graphql';
import { MAX_TOKENS, refusal } from './limits.js';

/** A person repeats a field by mistake, a program where it merges two documents: neither does so often. */
const MAX_REPEATS = 50;
/** Each spread of a fragment is compared with each other one in its place. */
const MAX_SPREADS = 100;
/** Each field of a root is work of its own: a statement, or a call to a provider. */
const MAX_ROOT_FIELDS = 50;

const ROOTS = new Set(Object.values(OperationTypeNode).map((name) => name[0]?.toUpperCase() + name.slice(1)));

interface Counts {
  repeats: number;
  spreads: number;
  rootFields: number;
}

/**
 * Throws GRAPHQL_VALIDATION_FAILED for a document that says too much of the same. To be asked before a document is
 * validated: validation compares every two fields of one name, so that a few thousand of them keep the process busy for
 * seconds, and everybody else waiting.
 */
export function requireModest(document: DocumentNode): void {
  const { repeats, spreads, rootFields } = countAll(document);
  if (repeats > MAX_REPEATS) throw refusal(`A document may repeat its fields ${MAX_REPEATS} times at most.`);
  if (spreads > MAX_SPREADS) throw refusal(`A document may spread fragments ${MAX_SPREADS} times at most.`);
  if (rootFields > MAX_ROOT_FIELDS)
    throw refusal(`A document may ask for ${MAX_ROOT_FIELDS} fields of its root at most: send it in parts.`);
}

/** The document of a text; undefined for one that can't be parsed, of which its parser tells the caller. */
export function tryParse(text: string): DocumentNode | undefined {
  try {
    return parse(text, { maxTokens: MAX_TOKENS, noLocation: true });
  } catch (error) {
    if (error instanceof GraphQLError) return undefined;
    throw error;
  }
}

function countAll({ definitions }: DocumentNode): Counts {
  const counts: Counts = { repeats: 0, spreads: 0, rootFields: 0 };
  for (const definition of definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION) count(definition.selectionSet, true, counts);
    if (definition.kind === Kind.FRAGMENT_DEFINITION)
      count(definition.selectionSet, ROOTS.has(definition.typeCondition.name.value), counts);
  }
  return counts;
}

/** Fields of inline fragments meet those around them, hence `names` is passed on into these. */
function count(set: SelectionSetNode, isRoot: boolean, counts: Counts, names = new Set<string>()): void {
  for (const node of set.selections) {
    if (node.kind === Kind.FRAGMENT_SPREAD) counts.spreads += 1;
    else if (node.kind === Kind.INLINE_FRAGMENT) count(node.selectionSet, isRoot, counts, names);
    else {
      const name = (node.alias ?? node.name).value;
      if (names.has(name)) counts.repeats += 1;
      names.add(name);
      if (isRoot) counts.rootFields += 1;
      if (node.selectionSet) count(node.selectionSet, false, counts);
    }
  }
}
