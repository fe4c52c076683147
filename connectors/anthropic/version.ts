import { type JsonObject, textAt } from '../../src/connector/index.js';

/** What npm `@anthropic-ai/sdk` sends since 1.0.0. Its messages know no sampling parameters. */
export const CURRENT = '2026-10-21';
/** What every earlier one sends. */
export const EARLIER = '2023-06-01';

/** The version a connection wants to speak. */
export function versionOf(settings: JsonObject): string {
  return textAt(settings, 'apiVersion') ?? CURRENT;
}

/** Sent with every request: Anthropic refuses those without. */
export function versionHeader(settings: JsonObject): Readonly<Record<string, string>> {
  return { 'anthropic-version': versionOf(settings) };
}
