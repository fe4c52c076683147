import { at, listAt, textAt } from './json.js';
import type { EvidenceLink } from './signal.js';

// What a signal says in its fields: bounded, and free of what PostgreSQL can't store.

/** Longest text of a body, a comment or a description that a signal carries, in UTF-16 units. */
const BODY_LIMIT = 10_000;
const LINE_LIMIT = 500;
const LIST_LIMIT = 100;

/** Without halves of surrogate pairs and without NUL: JSON can carry them, PostgreSQL refuses them. */
export function clean(text: string): string {
  const wellFormed = text.toWellFormed();
  return wellFormed.includes('\0') ? wellFormed.replaceAll('\0', '') : wellFormed;
}

function clip(text: string | undefined, limit: number): string | undefined {
  return text && clean(text.slice(0, limit));
}

/** Text of several lines, such as a pull request's description. */
export function longText(value: unknown, ...path: readonly string[]): string | undefined {
  return clip(textAt(value, ...path), BODY_LIMIT);
}

/** The first line of a text: a title, a name, a commit's subject, an id. */
export function line(value: unknown, ...path: readonly string[]): string | undefined {
  return clip(firstLine(textAt(value, ...path)), LINE_LIMIT) || undefined;
}

function firstLine(text: string | undefined): string | undefined {
  const end = text?.indexOf('\n') ?? -1;
  return end === -1 ? text : text?.slice(0, end).replace(/\r$/, '');
}

/** True and false as they are; anything else is unknown. */
export function flag(value: unknown, ...path: readonly string[]): boolean | undefined {
  const found = at(value, ...path);
  return typeof found === 'boolean' ? found : undefined;
}

/** A count or a number people see. */
export function count(value: unknown, ...path: readonly string[]): number | undefined {
  const found = at(value, ...path);
  return typeof found === 'number' ? found : undefined;
}

/** One text of every entry in a list: the names of labels, the logins of assignees. Undefined where there is no list. */
export function each(
  value: unknown,
  path: readonly string[],
  ...field: readonly string[]
): readonly string[] | undefined {
  if (!Array.isArray(at(value, ...path))) return undefined;
  return listAt(value, ...path)
    .slice(0, LIST_LIMIT)
    .map((entry) => line(entry, ...field))
    .filter((text) => text !== undefined);
}

/** A link for people, or none. Only web addresses: a console will make it clickable. */
export function links(type: string, url: string | undefined, title?: string): readonly EvidenceLink[] {
  if (!url || !/^https?:\/\/[^\s\0]+$/i.test(url)) return [];
  return [{ type, url, ...(title && { title }) }];
}

/** `refs/heads/main` → branch `main`, `refs/tags/v1` → tag `v1`. */
export function refOf(ref: string | undefined): { readonly branch?: string; readonly tag?: string } {
  if (ref?.startsWith('refs/heads/')) return { branch: ref.slice('refs/heads/'.length) };
  if (ref?.startsWith('refs/tags/')) return { tag: ref.slice('refs/tags/'.length) };
  return {};
}
