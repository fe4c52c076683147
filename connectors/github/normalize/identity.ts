import { at, hashOf, listAt, textAt } from '../../../src/connector/index.js';

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
