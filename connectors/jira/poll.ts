import {
  type JsonObject,
  type Poll,
  type PollPage,
  type PollRequest,
  type ProviderResponse,
  at,
  isObject,
  isProviderFailure,
  listAt,
  textAt,
} from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';
import { eventsOf } from './poll-events.js';
import { type Site, sites } from './site.js';
import { minus, minuteOf, toJql, toUtc, zoneOf } from './time.js';

const PAGE_SIZE = 100;
const OVERLAP_SECONDS = 120;
const FIELDS =
  'summary,description,status,project,issuetype,priority,resolution,labels,components,fixVersions,assignee,reporter,creator,created,updated,comment';

/** Where a project's issues are read on. Times are Jira's own, in UTC: our clock counts for the very first one only. */
interface Place {
  /** What was updated before then has been seen. */
  readonly seen: string;
  /** Within a poll: where it began, the time zone that JQL reads, and where its next page begins. */
  readonly from?: string;
  readonly zone?: string;
  readonly since?: string;
  /** Of Jira, for what is left of one minute: a search can't begin within it. */
  readonly token?: string;
}

/**
 * The issues of the projects that the settings name, by when they were changed; with each come its history and its
 * comments. https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/
 */
export const poll: Poll = {
  // The search follows changes with a delay, and counts minutes.
  overlapSeconds: OVERLAP_SECONDS,

  streams: (settings) =>
    listAt(settings, 'projects').map((project) => ({
      name: `issues:${String(project)}`,
      title: `Issues of ${String(project)}`,
    })),

  async page(context, request) {
    const [, project = ''] = request.stream.split(/:(.*)/s);
    const place = toPlace(request);
    const site = await sites.siteOf(context);
    const from = place.from ?? minus(place.seen, OVERLAP_SECONDS);
    const zone = place.zone ?? (await zoneOf(site));
    const since = place.since ?? from;
    try {
      const response = await search(site, project, toJql(since, zone), place.token);
      return pageOf(response, site, request, { ...place, from, zone, since });
    } catch (error) {
      if (!place.token || !isRefused(error)) throw error;
      // A token that Jira does not know any more. From what has been seen on it needs none.
      return { events: [], nextCursor: { seen: place.seen }, isComplete: false };
    }
  },
};

function toPlace({ cursor, since }: PollRequest): Place {
  return isObject(cursor) ? (cursor as unknown as Place) : { seen: since.toISOString() };
}

function search(site: Site, project: string, time: string, token?: string): Promise<ProviderResponse> {
  return site.request({
    method: 'GET',
    path: '/rest/api/3/search/jql',
    query: {
      jql: `project = "${project}" AND updated >= "${time}" ORDER BY updated ASC, key ASC`,
      fields: FIELDS,
      expand: 'changelog',
      maxResults: PAGE_SIZE,
      nextPageToken: token,
    },
  });
}

/**
 * Each page begins at the minute where the last one ended, because what is changed meanwhile moves to the end and would
 * pull others past a page that is only counted. Only within one minute Jira's own token leads on.
 */
function pageOf(
  response: ProviderResponse,
  site: Site,
  request: PollRequest,
  { seen: before, from, zone, since }: Required<Omit<Place, 'token'>>,
): PollPage {
  const issues = issuesOf(response);
  const token = textAt(response.body, 'nextPageToken');
  const isComplete = token === undefined || at(response.body, 'isLast') === true;
  const last = issues.at(-1)?.updated ?? since;
  const seen = last > before ? last : before;
  const next = minuteOf(last) > minuteOf(since) ? { since: last } : { since, ...(token && { token }) };
  const nextCursor: Place = isComplete ? { seen } : { seen, from, zone, ...next };
  return {
    events: issues.flatMap(({ issue }) => eventsOf(issue, from, site.url)),
    nextCursor: { ...nextCursor },
    isComplete,
    progress: isComplete ? 1 : shareOf(seen, request),
  };
}

function issuesOf(
  response: ProviderResponse,
): readonly { readonly issue: JsonObject; readonly updated: string }[] {
  const found = at(response.body, 'issues');
  const wanted = 'the issues it was asked for';
  if (!Array.isArray(found)) throw unexpectedAnswer(response, wanted, { isAmbiguous: false });
  return found.map((issue: unknown) => {
    const updated = toUtc(textAt(issue, 'fields', 'updated'));
    if (!isObject(issue) || !textAt(issue, 'id') || !updated)
      throw unexpectedAnswer(response, wanted, { isAmbiguous: false });
    return { issue, updated };
  });
}

/** How far from `since` to now a time lies, 0 to 1. */
function shareOf(time: string, { since, now }: PollRequest): number {
  const span = now.getTime() - since.getTime();
  const share = span > 0 ? (Date.parse(time) - since.getTime()) / span : 1;
  return Math.min(1, Math.max(0, share));
}

function isRefused(error: unknown): boolean {
  return isProviderFailure(error, { category: 'INVALID' });
}
