import { type ASTNode, type FragmentDefinitionNode, GraphQLError, Kind, type ValidationRule } from 'graphql';

/** More than any operation a person writes; a document beyond it is not even parsed to its end. */
export const MAX_TOKENS = 5_000;
const MAX_DEPTH = 15;

/** Refuses operations nested deeper than anything a person writes; introspection has its own, deeper shape. */
export const depthLimit: ValidationRule = (context) => ({
  OperationDefinition(operation) {
    const fragmentOf = (name: string) => context.getFragment(name) ?? undefined;
    const isIntrospection = operation.selectionSet.selections.every(
      (selection) => selection.kind === Kind.FIELD && selection.name.value.startsWith('__'),
    );
    if (isIntrospection || isWithin(operation, MAX_DEPTH, fragmentOf)) return;
    context.reportError(
      new GraphQLError(`An operation may be nested ${MAX_DEPTH} levels deep.`, { nodes: operation }),
    );
  },
});

type Fragments = (name: string) => FragmentDefinitionNode | undefined;

/** Every step costs a level, fragments too: so a cycle of fragments ends by itself. */
function isWithin(node: ASTNode, levels: number, fragmentOf: Fragments): boolean {
  if (node.kind === Kind.FRAGMENT_SPREAD) {
    const fragment = fragmentOf(node.name.value);
    return !fragment || (levels > 0 && isWithin(fragment, levels - 1, fragmentOf));
  }
  if (!('selectionSet' in node) || !node.selectionSet) return true;
  return (
    levels > 0 &&
    node.selectionSet.selections.every((selection) => isWithin(selection, levels - 1, fragmentOf))
  );
}
