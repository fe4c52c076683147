import {
  type JsonObject,
  type PollPage,
  type PollRequest,
  type PolledEvent,
  type ProviderContext,
  type ProviderRequest,
  type ProviderResponse,
  at,
  compact,
  isObject,
  textAt,
  timeAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';

/** Reads one page of a repository's list. */
export type ReadPage = (
  context: ProviderContext,
  repository: string,
  request: PollRequest,
  overlapSeconds: number,
) => Promise<PollPage>;

/** GitHub's largest page. */
const PAGE_SIZE = 100;

const NOT_MODIFIED = 304;

/** Which list of a repository, and which part of it. */
export interface ListRequest {
  readonly repository: string;
  /** Below the repository. */
  readonly path: string;
  readonly query: NonNullable<ProviderRequest['query']>;
  /** Where the list is a field of the answer. */
  readonly field?: string;
  /** Of an earlier answer to the very same request: what has not changed since is not sent again. */
  readonly etag?: string | undefined;
}

/** A page of a list, as GitHub answers it. */
export interface ListPage {
  /** Those that can be read on by: objects with a time of their last change. */
  readonly items: readonly JsonObject[];
  /** Objects without one. Their time is not known, so they are handed on to be set apart. */
  readonly odd: readonly JsonObject[];
  readonly hasNext: boolean;
  /** It is as it was when its ETag was given: nothing of it was sent, and there is nothing new. */
  readonly isUnchanged: boolean;
  readonly etag: string | undefined;
}

/**
 * Throws ProviderFailure for whatever is no list. https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
 * says that a 304 does not count against the limit.
 */
export async function readList({ request }: ProviderContext, list: ListRequest): Promise<ListPage> {
  const { repository, path, query, field, etag } = list;
  const [owner = '', repo = ''] = repository.split('/');
  const response = await request({
    method: 'GET',
    path: `/repos/{owner}/{repo}/${path}`,
    params: { owner, repo },
    query: { per_page: PAGE_SIZE, ...query },
    ...(etag && { headers: { 'if-none-match': etag } }),
  });
  if (response.status === NOT_MODIFIED) {
    return { items: [], odd: [], hasNext: false, isUnchanged: true, etag };
  }
  const found = itemsOf(response, field);
  return {
    items: found.filter((item) => updatedAt(item) !== undefined),
    odd: found.filter((item) => updatedAt(item) === undefined),
    hasNext: /<[^>]*>;\s*rel="next"/.test(response.headers['link'] ?? ''),
    isUnchanged: false,
    etag: response.headers['etag'],
  };
}

function itemsOf(response: ProviderResponse, field: string | undefined): readonly JsonObject[] {
  const list = field === undefined ? response.body : at(response.body, field);
  if (Array.isArray(list) && list.every((item) => isObject(item))) return list;
  throw unexpectedAnswer(response, 'a list of what it was asked for', { isAmbiguous: false });
}

/** What has no time can't be told from what was seen: the core sets it apart, once, and the rest of its page goes on. */
export function toOddEvent(type: string, repository: string, subject: JsonObject): PolledEvent {
  const problem = 'GitHub listed this without updated_at, so it has no place in time.';
  return { ...toEvent(type, '', repository, undefined, subject), problem };
}

/** RFC 3339 in whole seconds and UTC, so that the order of texts is the order of times. */
export function updatedAt(item: JsonObject): string | undefined {
  return textAt(item, 'updated_at');
}

/** In GitHub's own form, which is what its times are compared with. */
export function toTime(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

export function minus(time: string, seconds: number): string {
  return toTime(new Date(Date.parse(time) - seconds * 1000));
}

/** How far from `since` to now a time lies, 0 to 1. */
export function shareOf(time: string, { since, now }: PollRequest): number {
  const span = now.getTime() - since.getTime();
  const share = span > 0 ? (Date.parse(time) - since.getTime()) / span : 1;
  return Math.min(1, Math.max(0, share));
}

/** What happened at a moment within what is polled; null when it did not happen, or happened before. */
export function happened(item: JsonObject, field: string, from: string): string | null {
  const time = textAt(item, field);
  return time !== undefined && timeAt(item, field) !== undefined && time >= from ? time : null;
}

/** An event as a webhook would bring it, as far as the list tells. */
export function toEvent(
  type: string,
  key: string,
  repository: string,
  sender: unknown,
  subject: JsonObject,
): PolledEvent {
  const [, action] = type.split('.');
  const body = compact({
    action,
    ...subject,
    repository: { full_name: repository },
    sender: isObject(sender) ? sender : undefined,
  });
  return { id: `${type}:${key}`, type, body };
}
