import {
  type JsonObject,
  type PolledEvent,
  compact,
  isObject,
  listAt,
  textAt,
} from '../../src/connector/index.js';
import { toUtc } from './time.js';

/**
 * What happened to an issue from a moment on, in the bodies that webhooks bring: it was made, it was changed, somebody
 * commented. `site` is there for links, since the gateway's addresses are none for people.
 */
export function eventsOf(found: JsonObject, from: string, site: string | undefined): readonly PolledEvent[] {
  const { changelog: _, ...whole } = found;
  const issue = { ...whole, fields: withoutComments(found) };
  const about = compact({ issue, site });
  return [
    ...created(issue, from, about),
    ...listAt(found, 'changelog', 'histories').flatMap((history) => changed(history, from, about)),
    ...listAt(found, 'fields', 'comment', 'comments').flatMap((comment) => commented(comment, from, about)),
  ];
}

/** They come one by one, and not again with everything that happens to their issue. */
function withoutComments(issue: JsonObject): JsonObject {
  const { comment: _, ...fields } = isObject(issue['fields']) ? issue['fields'] : {};
  return fields;
}

function created(issue: JsonObject, from: string, about: JsonObject): readonly PolledEvent[] {
  const time = happened(textAt(issue, 'fields', 'created'), from);
  if (!time) return [];
  const type = 'jira:issue_created';
  const user = issue['fields'] && isObject(issue['fields']) ? issue['fields']['creator'] : undefined;
  return [
    toEvent(`issue:${textAt(issue, 'id') ?? ''}:created`, type, time, { ...about, ...compact({ user }) }),
  ];
}

function changed(history: unknown, from: string, about: JsonObject): readonly PolledEvent[] {
  const [id, time] = [textAt(history, 'id'), happened(textAt(history, 'created'), from)];
  if (!id || !time || !isObject(history)) return [];
  const changelog = { id, items: listAt(history, 'items') };
  const body = { ...about, changelog, ...compact({ user: history['author'] }) };
  return [toEvent(`change:${id}`, 'jira:issue_updated', time, body)];
}

function commented(comment: unknown, from: string, about: JsonObject): readonly PolledEvent[] {
  const [id, time] = [textAt(comment, 'id'), happened(textAt(comment, 'created'), from)];
  if (!id || !time) return [];
  return [toEvent(`comment:${id}`, 'comment_created', time, { ...about, comment })];
}

function happened(time: string | undefined, from: string): string | undefined {
  const moment = toUtc(time);
  return moment !== undefined && moment >= from ? moment : undefined;
}

function toEvent(id: string, type: string, time: string, body: JsonObject): PolledEvent {
  return { id, type, body: { timestamp: Date.parse(time), webhookEvent: type, ...body } };
}
