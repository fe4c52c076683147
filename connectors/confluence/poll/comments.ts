import {
  type JsonObject,
  type PollPage,
  type PollRequest,
  type PolledEvent,
  type ProviderContext,
  at,
  compact,
  textAt,
} from '../../../src/connector/index.js';
import { sites } from '../site.js';
import { readNewestFirst, toUtc } from './newest-first.js';

const PAGE_SIZE = 250;

/** Comments below pages and blog posts. https://developer.atlassian.com/cloud/confluence/rest/v2/api-group-comment/ */
export async function readComments(
  context: ProviderContext,
  request: PollRequest,
  overlapSeconds: number,
): Promise<PollPage> {
  const site = await sites.siteOf(context);
  const list = {
    method: 'GET',
    path: '/wiki/api/v2/footer-comments',
    query: { sort: '-created-date', limit: PAGE_SIZE },
  } as const;
  return readNewestFirst(
    { site, request: list, timeOf, toEvents: toEvents(site.url) },
    request,
    overlapSeconds,
  );
}

/** A list shows a comment's last version, and the first one's time not at all. */
function timeOf(comment: JsonObject): string | undefined {
  return toUtc(textAt(comment, 'version', 'createdAt'));
}

function toEvents(site: string | undefined) {
  return (comment: JsonObject, from: string): readonly PolledEvent[] => {
    // One that was edited before it was seen is told as well: it is known by its id, and so once.
    if ((timeOf(comment) ?? '') < from || at(comment, 'version') === undefined) return [];
    const id = textAt(comment, 'id') ?? '';
    return [{ id: `comment:${id}`, type: 'comment_created', body: compact({ comment, site }) }];
  };
}
