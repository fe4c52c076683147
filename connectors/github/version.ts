import { type JsonObject, textAt } from '../../src/connector/index.js';

/** https://docs.github.com/en/rest/about-the-rest-api/api-versions */
export const API_VERSIONS = { earlier: '2022-11-28', later: '2026-03-10' } as const;

/** What is spoken where the settings name none. */
export const DEFAULT_VERSION: string = API_VERSIONS.earlier;

/** The version that a connection's settings choose. */
export function versionOf(settings: JsonObject): string {
  return textAt(settings, 'apiVersion') ?? DEFAULT_VERSION;
}
