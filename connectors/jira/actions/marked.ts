import { type ActionContext, at, textAt } from '../../../src/connector/index.js';

/** The property under which issues and comments of ours carry the action's id. People never see properties. */
export const PROPERTY = 'tributary';

/** Jira's clock may be behind ours. */
const SKEW_MS = 5 * 60_000;

export function markOf({ actionId }: ActionContext) {
  return [{ key: PROPERTY, value: { action: actionId } }];
}

/** True for what was made before the action began, whatever the clocks: nothing that follows can be ours. */
export function isEarlier(created: string | undefined, { startedAt }: ActionContext): boolean {
  return Date.parse(created ?? '') < startedAt.getTime() - SKEW_MS;
}

export function carries(value: unknown, { actionId }: ActionContext): boolean {
  return textAt(value, 'action') === actionId;
}

/** Comments list their properties, issues name them. */
export function isMarked(entry: unknown, context: ActionContext): boolean {
  const properties = at(entry, 'properties');
  if (!Array.isArray(properties)) return carries(at(properties, PROPERTY), context);
  return properties.some((each) => textAt(each, 'key') === PROPERTY && carries(at(each, 'value'), context));
}
