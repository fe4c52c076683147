import {
  type ActionContext,
  type ActionOutcome,
  type ProviderResponse,
  at,
  compact,
  textAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import type { Site } from '../site.js';

/** What every action on a page answers. */
export const pageSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['id', 'version'],
  properties: { id: { type: 'string' }, version: { type: 'integer' }, url: { type: 'string' } },
} as const;

/** Confluence's clock may be behind ours. */
const SKEW_MS = 5 * 60_000;

/** True for what was made before the action began, whatever the clocks: nothing of it can be ours. */
export function isEarlier(created: string | undefined, { startedAt }: ActionContext): boolean {
  return Date.parse(created ?? '') < startedAt.getTime() - SKEW_MS;
}

/** Of a page as Confluence answers it. `version` is the one that was made, where the page may have moved on. */
export function pageOutcome(
  response: ProviderResponse,
  page: unknown,
  site: Site,
  {
    isAmbiguous,
    version = at(page, 'version', 'number'),
  }: { readonly isAmbiguous: boolean; readonly version?: unknown },
): ActionOutcome {
  const id = textAt(page, 'id');
  if (!id || !Number.isInteger(version))
    throw unexpectedAnswer(response, 'id and version of the page', { isAmbiguous });
  const url = urlOf(page, site);
  return { externalId: id, ...(url && { url }), output: compact({ id, version, url }) };
}

/** `_links.webui` is a path below the site's `/wiki`. */
export function urlOf(thing: unknown, { url: site }: Site): string | undefined {
  const path = textAt(thing, '_links', 'webui');
  return site && path?.startsWith('/') ? `${site}/wiki${path}` : undefined;
}
