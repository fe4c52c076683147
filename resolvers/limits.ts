import {
  GraphQLError,
  Kind,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';

/** More than any operation a person writes; a document beyond it is not even parsed to its end. */
export const MAX_TOKENS = 5_000;
const MAX_DEPTH = 15;

/** Refuses operations nested deeper than anything a person writes; introspection has its own, deeper shape. */
export const depthLimit: ValidationRule = (context) => ({
  OperationDefinition(operation) {
    if (createMeasure(context)(operation.selectionSet) <= MAX_DEPTH) return;
    context.reportError(
      new GraphQLError(`An operation may be nested ${MAX_DEPTH} levels deep.`, { nodes: operation }),
    );
  },
});

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
