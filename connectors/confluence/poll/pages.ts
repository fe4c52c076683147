import {
  type JsonObject,
  type PollPage,
  type PollRequest,
  type PolledEvent,
  type ProviderContext,
  at,
  compact,
  isObject,
  textAt,
} from '../../../src/connector/index.js';
import { sites } from '../site.js';
import { requireSpace } from '../space.js';
import { readNewestFirst, toUtc } from './newest-first.js';

/** Confluence's largest page. */
const PAGE_SIZE = 250;

/** The pages of a space. Its number is looked up once and goes along with the cursor. */
export async function readPages(
  context: ProviderContext,
  space: string,
  request: PollRequest,
  overlapSeconds: number,
): Promise<PollPage> {
  const site = await sites.siteOf(context);
  const spaceId = textAt(request.cursor, 'spaceId') ?? (await requireSpace(site, space));
  const list = {
    method: 'GET',
    path: '/wiki/api/v2/pages',
    query: { 'space-id': spaceId, sort: '-modified-date', limit: PAGE_SIZE },
  } as const;
  const found = await readNewestFirst(
    { site, request: list, timeOf: modifiedAt, toEvents: toEvents(space, site.url) },
    request,
    overlapSeconds,
  );
  return { ...found, nextCursor: { ...(isObject(found.nextCursor) && found.nextCursor), spaceId } };
}

function modifiedAt(page: JsonObject): string | undefined {
  return toUtc(textAt(page, 'version', 'createdAt'));
}

/** A list shows the latest version only: what was changed several times between two polls is one change. */
function toEvents(space: string, site: string | undefined) {
  return (page: JsonObject, from: string): readonly PolledEvent[] => {
    const id = textAt(page, 'id') ?? '';
    const version = at(page, 'version', 'number');
    const isNew = (toUtc(textAt(page, 'createdAt')) ?? '') >= from;
    const isChanged = version !== 1 && (modifiedAt(page) ?? '') >= from;
    const [author, editor] = [textAt(page, 'authorId'), textAt(page, 'version', 'authorId')];
    const body = (actor: string | undefined) => compact({ page, space, site, actor });
    return [
      ...(isNew ? [{ id: `page:${id}:created`, type: 'page_created', body: body(author) }] : []),
      ...(isChanged
        ? [{ id: `page:${id}:version:${String(version)}`, type: 'page_updated', body: body(editor) }]
        : []),
    ];
  };
}
