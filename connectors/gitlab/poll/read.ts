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

/** Reads one page of a project's list. */
export type ReadPage = (
  context: ProviderContext,
  project: string,
  request: PollRequest,
  overlapSeconds: number,
) => Promise<PollPage>;

/** GitLab's largest page. */
const PAGE_SIZE = 100;

/** A page of a list, as GitLab answers it. */
export interface ListPage {
  readonly items: readonly JsonObject[];
  readonly hasNext: boolean;
}

/** Throws ProviderFailure for whatever is no list of things with this time. */
export async function readList(
  { request }: ProviderContext,
  project: string,
  path: string,
  query: NonNullable<ProviderRequest['query']>,
  timeField: string,
): Promise<ListPage> {
  const response = await request({
    method: 'GET',
    path: `/projects/{id}/${path}`,
    params: { id: project },
    query: { per_page: PAGE_SIZE, ...query },
  });
  const hasNext = (response.headers['x-next-page'] ?? '') !== '';
  return { items: itemsOf(response, timeField), hasNext };
}

function itemsOf(response: ProviderResponse, timeField: string): readonly JsonObject[] {
  const { body } = response;
  if (Array.isArray(body) && body.every((item) => isObject(item) && timeAt(item, timeField))) return body;
  throw unexpectedAnswer(response, 'a list of what it was asked for', { isAmbiguous: false });
}

/** RFC 3339 in UTC with milliseconds, as GitLab's own: so the order of texts is the order of times. */
export function timeOf(item: JsonObject, field: string): string {
  return timeAt(item, field)?.toISOString() ?? '';
}

export function minus(time: string, seconds: number): string {
  return new Date(Date.parse(time) - seconds * 1000).toISOString();
}

/** How far from `since` to now a time lies, 0 to 1. */
export function shareOf(time: string, { since, now }: PollRequest): number {
  const span = now.getTime() - since.getTime();
  const share = span > 0 ? (Date.parse(time) - since.getTime()) / span : 1;
  return Math.min(1, Math.max(0, share));
}

/** True for what happened within what is polled. */
export function happened(item: JsonObject, field: string, from: string): boolean {
  return timeAt(item, field) !== undefined && timeOf(item, field) >= from;
}

/** An event as a webhook would bring it, as far as the list tells. */
export function toEvent(
  type: string,
  key: string,
  project: string,
  projectUrl: string | undefined,
  user: unknown,
  more: JsonObject,
): PolledEvent {
  const body = compact({
    object_kind: type.split('.', 1)[0],
    user: isObject(user) ? compact({ id: user['id'], username: textAt(user, 'username') }) : undefined,
    project: compact({ path_with_namespace: project, web_url: projectUrl }),
    ...more,
  });
  return { id: `${type}:${key}`, type, body };
}
