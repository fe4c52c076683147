import { type JsonObject, type ProviderContext, textAt } from '../../src/connector/index.js';

/** What npm `@notionhq/client` sends: databases have data sources. */
export const CURRENT = '2025-09-03';
/** What is trashed is called so everywhere, and blocks are put in a place by `position`. Nothing used here differs. */
export const NEXT = '2026-03-11';

/** Sent with every request: Notion refuses those without. https://developers.notion.com/reference/versioning */
export function versionHeader(settings: JsonObject): Readonly<Record<string, string>> {
  return { 'notion-version': textAt(settings, 'apiVersion') ?? CURRENT };
}

/** The way to Notion in the version that the connection's settings name. */
export function requestOf({ settings, request }: ProviderContext): ProviderContext['request'] {
  return (asked) => request({ ...asked, headers: { ...versionHeader(settings), ...asked.headers } });
}
