import {
  type JsonObject,
  type ProviderEvent,
  at,
  compact,
  isObject,
  listAt,
  textAt,
} from '../../../src/connector/index.js';

/** One of the things that one event tells. */
export type Facet = 'status' | 'closed' | 'reopened' | 'assignee' | 'fields' | 'comment' | 'comment_change';

/**
 * The bodies to read: the one that came, once for each thing it tells, with what Jira says in several ways said in one:
 * `facet`, `change_id`, `happened_at`, `issue_id` and `site`.
 */
export function facetsOf({ type, body }: ProviderEvent): readonly unknown[] {
  if (!isObject(body)) return [body];
  const told = { ...body, ...readingOf(body) };
  if (type !== 'jira:issue_updated') return [{ ...told, happened_at: momentOf(type, body) }];
  return facets(body).map((facet) => ({
    ...told,
    facet,
    happened_at: facet === 'comment' ? commented(body) : moment(body),
  }));
}

function readingOf(body: JsonObject): JsonObject {
  const self = textAt(body, 'issue', 'self') ?? textAt(body, 'comment', 'self');
  return compact({
    change_id: textAt(body, 'changelog', 'id') ?? textAt(body, 'timestamp'),
    // A comment names its issue by address alone where no issue comes with it.
    issue_id: textAt(body, 'issue', 'id') ?? /\/issue\/(\d+)\/comment\//.exec(self ?? '')?.[1],
    site: textAt(body, 'site') ?? siteOf(self),
  });
}

/** The gateway's addresses lead nowhere that a person could go. */
function siteOf(self: string | undefined): string | undefined {
  const origin = /^https:\/\/[^/?#\s]+/.exec(self ?? '')?.[0];
  return origin === 'https://api.atlassian.com' ? undefined : origin;
}

function facets(body: JsonObject): readonly Facet[] {
  const items = listAt(body, 'changelog', 'items');
  const found = new Set(items.flatMap(facetsOfItem));
  const comment = commentFacet(body);
  if (comment) found.add(comment);
  if (found.size > 0) return [...found];
  // Jira leaves the change out at times, and still says what it was.
  return textAt(body, 'issue_event_type_name') === 'issue_assigned' ? ['assignee'] : ['fields'];
}

function facetsOfItem(item: unknown): readonly Facet[] {
  const field = (textAt(item, 'fieldId') ?? textAt(item, 'field') ?? '').toLowerCase();
  if (field === 'status') return ['status'];
  if (field === 'assignee') return ['assignee'];
  if (field !== 'resolution') return ['fields'];
  return [textAt(item, 'to') === undefined ? 'reopened' : 'closed'];
}

/** A comment may come as a change of its issue. Old servers say nothing of which: then its two times tell. */
function commentFacet(body: JsonObject): Facet | undefined {
  if (!isObject(at(body, 'comment'))) return undefined;
  const name = textAt(body, 'issue_event_type_name');
  if (name?.startsWith('issue_comment_')) return 'comment_change';
  const [created, updated] = ['created', 'updated'].map((field) => textAt(body, 'comment', field));
  return updated !== undefined && updated !== created ? 'comment_change' : 'comment';
}

function momentOf(type: string, body: JsonObject): string | undefined {
  if (type === 'comment_created') return commented(body);
  return (
    (type === 'jira:issue_created' ? textAt(body, 'issue', 'fields', 'created') : undefined) ?? moment(body)
  );
}

function commented(body: JsonObject): string | undefined {
  return textAt(body, 'comment', 'created') ?? moment(body);
}

/** Milliseconds since 1970, as the documented example shows. */
function moment(body: JsonObject): string | undefined {
  const timestamp = at(body, 'timestamp');
  if (typeof timestamp !== 'number') return undefined;
  const time = new Date(timestamp);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}
