import {
  type DocumentNode,
  GraphQLError,
  Kind,
  OperationTypeNode,
  type SelectionSetNode,
  parse,
} from 'graphql';
import { type GraphQLLimits, refusal } from './limits.js';

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
export function requireModest(document: DocumentNode, limits: GraphQLLimits): void {
  const { repeats, spreads, rootFields } = countAll(document);
  const { GRAPHQL_MAX_REPEATS: mostRepeats, GRAPHQL_MAX_SPREADS: mostSpreads } = limits;
  const { GRAPHQL_MAX_ROOT_FIELDS: mostRootFields } = limits;
  if (repeats > mostRepeats) throw refusal(`A document may repeat its fields ${mostRepeats} times at most.`);
  if (spreads > mostSpreads) throw refusal(`A document may spread fragments ${mostSpreads} times at most.`);
  if (rootFields > mostRootFields)
    throw refusal(`A document may ask for ${mostRootFields} fields of its root at most: send it in parts.`);
}

/** The document of a text; undefined for one that can't be parsed, of which its parser tells the caller. */
export function tryParse(
  text: string,
  { GRAPHQL_MAX_TOKENS: maxTokens }: GraphQLLimits,
): DocumentNode | undefined {
  try {
    return parse(text, { maxTokens, noLocation: true });
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
