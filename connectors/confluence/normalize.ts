import {
  type Part,
  type ProviderEvent,
  type Rule,
  type SignalDraft,
  compact,
  count,
  createNormalizer,
  line,
  links,
} from '../../src/connector/index.js';

/** The page, as a list shows it: without its text. */
const page: Part = {
  required: ['page.id', 'page.title', 'page.spaceId', 'page.version.number'],
  describe: (body) => {
    const id = line(body, 'page', 'id');
    return {
      payload: {
        title: line(body, 'page', 'title'),
        space: line(body, 'space'),
        space_id: line(body, 'page', 'spaceId'),
        parent_id: line(body, 'page', 'parentId'),
        state: line(body, 'page', 'status'),
        version: count(body, 'page', 'version', 'number'),
        message: line(body, 'page', 'version', 'message'),
        actor: person(line(body, 'actor')),
        author: person(line(body, 'page', 'authorId')),
      },
      keys: { page_id: id, user_id: line(body, 'actor') },
      evidence: linksOf('page', body),
      hints: id ? [{ type: 'resource_id', value: id, confidence: 1 }] : [],
    };
  },
};

/** A comment below a page. */
const comment: Part = {
  required: ['comment.id', 'comment.pageId'],
  describe: (body) => {
    const pageId = line(body, 'comment', 'pageId') ?? line(body, 'comment', 'blogPostId');
    const author = line(body, 'comment', 'version', 'authorId');
    return {
      payload: {
        title: line(body, 'comment', 'title'),
        comment_id: line(body, 'comment', 'id'),
        in_reply_to: line(body, 'comment', 'parentCommentId'),
        author: person(author),
        actor: person(author),
      },
      keys: { page_id: pageId, user_id: author },
      evidence: linksOf('comment', body),
      hints: pageId ? [{ type: 'resource_id', value: pageId, confidence: 1 }] : [],
    };
  },
};

/** `_links.webui` is a path below the site's `/wiki`. */
function linksOf(type: 'page' | 'comment', body: unknown) {
  const [site, path] = [line(body, 'site'), line(body, type, '_links', 'webui')];
  if (!site || !path?.startsWith('/')) return [];
  return links(type, `${site}/wiki${path}`, line(body, type, 'title'));
}

function person(id: string | undefined) {
  return id === undefined ? undefined : compact({ id });
}

const rules: readonly Rule[] = [
  {
    on: ['page_created'],
    type: 'page_published',
    identity: 'page:{page.id}:created',
    at: 'page.createdAt',
    parts: [page],
  },
  {
    on: ['page_updated'],
    type: 'page_updated',
    identity: 'page:{page.id}:version:{page.version.number}',
    at: 'page.version.createdAt',
    parts: [page],
  },
  {
    on: ['comment_created'],
    type: 'comment_added',
    identity: 'comment:{comment.id}',
    // Of its first version, which is the one that is told.
    at: 'comment.version.createdAt',
    parts: [comment],
  },
];

const toDraft = createNormalizer({
  rules,
  otherRule: (): Rule => ({ on: [], type: 'provider_event', parts: [] }),
  fallback: () => [],
});

/** One event of ours from a poll to its one signal. */
export function normalize(event: ProviderEvent): readonly SignalDraft[] {
  return [toDraft(event)];
}
