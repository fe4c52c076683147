import { createHash } from 'node:crypto';
import { at, listAt, textAt } from '../../../src/connector/index.js';
import { clean } from './fields.js';

const PLACE = /\{([^}]+)\}/g;

/** The paths a template reads: `issue:{issue.id}:created` → `['issue.id']`. */
export function pathsOf(template: string): readonly string[] {
  return [...template.matchAll(PLACE)].map(([, path]) => path ?? '');
}

/** Fills `{dotted.path}` from the body. Undefined when a value is not there: half an identity would make two things one. */
export function fill(template: string, body: unknown): string | undefined {
  const values = pathsOf(template).map((path) => textAt(body, ...path.split('.')));
  if (values.includes(undefined)) return undefined;
  return clean(template.replaceAll(PLACE, () => values.shift() ?? ''));
}

const IDENTITY_LIMIT = 255;

/** An identity of any length in 255 units: a long one ends in the hash of the whole. */
export function bounded(identity: string): string {
  if (identity.length <= IDENTITY_LIMIT) return identity;
  const hash = hashOf(identity);
  return clean(`${identity.slice(0, IDENTITY_LIMIT - hash.length - 1)}:${hash}`);
}

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

/**
 * What makes one version of an issue, pull request or comment differ from the next, as 16 hex digits. It covers what
 * a REST GET of the same object shows and nothing else, so that a poll names the version as the webhook did; and since
 * `updated_at` counts whole seconds, it keeps two changes within one second apart.
 */
export function digestOf(thing: unknown): string {
  const visible = [
    ...['title', 'state', 'body'].map((field) => textAt(thing, field)),
    ...[
      ['milestone', 'id'],
      ['head', 'sha'],
      ['base', 'ref'],
    ].map((path) => textAt(thing, ...path)),
    ...['draft', 'locked'].map((field) => at(thing, field) === true),
    ...['assignees', 'requested_reviewers', 'requested_teams'].map((field) => sorted(thing, field, 'id')),
    sorted(thing, 'labels', 'name'),
  ];
  const text = JSON.stringify(visible.map((value) => value ?? null));
  return hashOf(text).slice(0, 16);
}

/** Sorted, because GitHub promises no order. REST may give a label as its bare name. */
function sorted(thing: unknown, list: string, field: string): readonly string[] {
  return listAt(thing, list)
    .map((entry) => textAt(entry, field) ?? textAt(entry) ?? '')
    .toSorted();
}
