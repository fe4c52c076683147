import {
  type JsonObject,
  type PollPage,
  type PollRequest,
  type PolledEvent,
  type ProviderContext,
  type ProviderRequest,
  type ProviderResponse,
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

/** A page of a list, as GitHub answers it. */
export interface ListPage {
  readonly items: readonly JsonObject[];
  readonly hasNext: boolean;
}

/** Throws ProviderFailure for whatever is no list. */
export async function readList(
  { request }: ProviderContext,
  repository: string,
  path: string,
  query: NonNullable<ProviderRequest['query']>,
): Promise<ListPage> {
  const [owner = '', repo = ''] = repository.split('/');
  const response = await request({
    method: 'GET',
    path: `/repos/{owner}/{repo}/${path}`,
    params: { owner, repo },
    query: { per_page: PAGE_SIZE, ...query },
  });
  return { items: itemsOf(response), hasNext: /<[^>]*>;\s*rel="next"/.test(response.headers['link'] ?? '') };
}

function itemsOf(response: ProviderResponse): readonly JsonObject[] {
  const { body } = response;
  if (Array.isArray(body) && body.every((item) => isObject(item) && updatedAt(item))) return body;
  throw unexpectedAnswer(response, 'a list of what it was asked for', { isAmbiguous: false });
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
