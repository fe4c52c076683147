import {
  type Json,
  type JsonObject,
  type PollPage,
  type PollRequest,
  type PolledEvent,
  at,
  compact,
  isObject,
  listAt,
  textAt,
} from '../../../src/connector/index.js';
import { type ReadPage, happened, minus, readList, shareOf, timeOf, toEvent } from './read.js';

/**
 * Where a list that GitLab sorts by time, oldest first, is read on. Times are GitLab's own: our clock counts for the
 * very first one only.
 */
interface Place {
  /** What was updated before then has been seen. */
  readonly seen: string;
  /** Within a poll: where it began, and the page that comes next. */
  readonly from?: string;
  readonly since?: string;
  readonly page?: number;
}

/** https://docs.gitlab.com/api/issues/#list-all-project-issues */
export const readIssues: ReadPage = (context, project, request, overlapSeconds) =>
  readByTime(request, overlapSeconds, toIssueEvents(project), (since, page) =>
    readList(context, project, 'issues', { ...ascending, updated_after: since, page }, UPDATED_AT),
  );

/** https://docs.gitlab.com/api/merge_requests/#list-project-merge-requests */
export const readMergeRequests: ReadPage = (context, project, request, overlapSeconds) =>
  readByTime(request, overlapSeconds, toMergeRequestEvents(project), (since, page) =>
    readList(context, project, 'merge_requests', { ...ascending, updated_after: since, page }, UPDATED_AT),
  );

const UPDATED_AT = 'updated_at';
const ascending = { scope: 'all', state: 'all', order_by: UPDATED_AT, sort: 'asc' } as const;

/**
 * Pages are counted only as long as they are all of one moment: what is updated meanwhile leaves its place for the end
 * of the list, and a count would skip what moves up.
 */
export async function readByTime(
  request: PollRequest,
  overlapSeconds: number,
  toEvents: (item: JsonObject, from: string) => readonly PolledEvent[] | Promise<readonly PolledEvent[]>,
  read: (since: string, page: number) => ReturnType<typeof readList>,
): Promise<PollPage> {
  const place = toPlace(request);
  const from = place.from ?? minus(place.seen, overlapSeconds);
  const { since = from, page = 1 } = place;
  const { items, hasNext } = await read(since, page);
  const events: PolledEvent[] = [];
  for (const item of items) events.push(...(await toEvents(item, from)));
  const last = items.map((item) => timeOf(item, UPDATED_AT)).at(-1) ?? since;
  const seen = last > place.seen ? last : place.seen;
  // GitLab's "after" has the moment itself in it.
  const next = last > since ? { since: last, page: 1 } : { since, page: page + 1 };
  const nextCursor: Place = hasNext ? { seen, from, ...next } : { seen };
  return {
    events,
    nextCursor: { ...nextCursor } as Json,
    isComplete: !hasNext,
    progress: shareOf(seen, request),
  };
}

function toPlace({ cursor, since }: PollRequest): Place {
  return isObject(cursor) ? (cursor as unknown as Place) : { seen: since.toISOString() };
}

function toIssueEvents(project: string) {
  return (issue: JsonObject, from: string): readonly PolledEvent[] => {
    const id = textAt(issue, 'id') ?? '';
    const event = (action: string, key: string, user: unknown) => {
      const attributes = { ...sharedAttributes(issue), type: textAt(issue, 'issue_type'), action };
      const more = { object_attributes: compact(attributes), ...peopleOf(issue) };
      return toEvent(`issue.${action}`, key, nameOf(issue, project), projectUrlOf(issue), user, more);
    };
    return [
      ...(happened(issue, 'created_at', from) ? [event('open', id, at(issue, 'author'))] : []),
      ...(happened(issue, 'closed_at', from)
        ? [event('close', `${id}:${timeOf(issue, 'closed_at')}`, at(issue, 'closed_by'))]
        : []),
    ];
  };
}

function toMergeRequestEvents(project: string) {
  return (item: JsonObject, from: string): readonly PolledEvent[] => {
    const id = textAt(item, 'id') ?? '';
    const event = (action: string, user: unknown, updatedAt: unknown) => {
      const attributes = { ...sharedAttributes(item), ...branchesOf(item), updated_at: updatedAt, action };
      const more = { object_attributes: compact(attributes), ...peopleOf(item) };
      return toEvent(`merge_request.${action}`, id, nameOf(item, project), projectUrlOf(item), user, more);
    };
    return [
      ...(happened(item, 'created_at', from)
        ? [event('open', at(item, 'author'), at(item, 'updated_at'))]
        : []),
      // A webhook of a merge was updated when it was merged.
      ...(happened(item, 'merged_at', from)
        ? [event('merge', at(item, 'merge_user') ?? at(item, 'merged_by'), at(item, 'merged_at'))]
        : []),
    ];
  };
}

/** By the names that webhooks have for them. */
function sharedAttributes(item: JsonObject) {
  const { id, iid, title, description, state, created_at, updated_at, closed_at, confidential } = item;
  const shared = { id, iid, title, description, state, created_at, updated_at, closed_at, confidential };
  return { ...shared, url: textAt(item, 'web_url') };
}

function branchesOf(item: JsonObject) {
  const { source_branch, target_branch, draft, merge_commit_sha } = item;
  const sha = textAt(item, 'sha');
  return {
    source_branch,
    target_branch,
    draft,
    merge_commit_sha,
    last_commit: sha ? { id: sha } : undefined,
  };
}

function peopleOf(item: JsonObject) {
  return compact({
    labels: listAt(item, 'labels').map((title) => ({ title })),
    assignees: listAt(item, 'assignees').map((user) => ({ username: textAt(user, 'username') ?? null })),
    reviewers: Array.isArray(item['reviewers'])
      ? listAt(item, 'reviewers').map((user) => ({ username: textAt(user, 'username') ?? null }))
      : undefined,
  });
}

/** As GitLab writes it, which may differ in case from what somebody has entered: `group/project#7`. */
function nameOf(item: JsonObject, project: string): string {
  return textAt(item, 'references', 'full')?.split(/[#!]/, 1)[0] ?? project;
}

/** Things lie below `/-/` of their project. */
export function projectUrlOf(item: JsonObject): string | undefined {
  const url = textAt(item, 'web_url');
  return url?.includes('/-/') ? url.split('/-/', 1)[0] : undefined;
}
