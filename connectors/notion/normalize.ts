import {
  type JsonObject,
  type Part,
  type ProviderEvent,
  type Rule,
  type SignalDraft,
  at,
  compact,
  createNormalizer,
  each,
  line,
  links,
  on,
  textAt,
} from '../../src/connector/index.js';

/** Who: ids alone are told. Of several who edited in one short time, the first. */
function authorOf(body: unknown): JsonObject | undefined {
  const id = line(at(body, 'authors', 0), 'id');
  return id === undefined ? undefined : compact({ id, type: line(at(body, 'authors', 0), 'type') });
}

/** What every event has. Which workspace it was stands in the keys; there is no link, but what a poll found has one. */
const shared: Part = {
  required: ['workspace_id', 'authors'],
  describe: (body) => ({
    payload: {
      actor: authorOf(body),
      contributors: each(body, ['authors'], 'id'),
      workspace: line(body, 'workspace_name'),
    },
    keys: {
      workspace_id: line(body, 'workspace_id'),
      user_id: line(at(body, 'authors', 0), 'id'),
    },
  }),
};

/** https://developers.notion.com/reference/webhooks-events-delivery: that something changed, and not to what. */
const page: Part = {
  required: ['entity.id', 'data.parent.id'],
  describe: (body) => {
    const id = line(body, 'entity', 'id');
    const title = line(body, 'page', 'title');
    return {
      payload: {
        title,
        action: line(body, 'type')?.replace(/^page\./, ''),
        parent: parentOf(body),
        changes: each(body, ['data', 'updated_properties']),
        changed_blocks: each(body, ['data', 'updated_blocks'], 'id'),
      },
      keys: { page_id: id },
      evidence: links('page', textAt(body, 'page', 'url'), title),
      hints: id ? [{ type: 'resource_id', value: id, confidence: 1 }] : [],
    };
  },
};

function parentOf(body: unknown): JsonObject | undefined {
  const id = line(body, 'data', 'parent', 'id');
  return id === undefined ? undefined : compact({ id, type: line(body, 'data', 'parent', 'type') });
}

const comment: Part = {
  required: ['entity.id', 'data.page_id'],
  describe: (body) => {
    const pageId = line(body, 'data', 'page_id');
    return {
      payload: { comment_id: line(body, 'entity', 'id'), parent: parentOf(body), author: authorOf(body) },
      keys: { page_id: pageId },
      hints: pageId ? [{ type: 'resource_id', value: pageId, confidence: 1 }] : [],
    };
  },
};

/** Of data sources, databases, views, files and what Notion invents. */
const other: Part = {
  required: [],
  describe: (body) => {
    const id = line(body, 'entity', 'id');
    return {
      payload: { subject: compact({ type: line(body, 'entity', 'type'), id }), parent: parentOf(body) },
      hints: id ? [{ type: 'resource_id', value: id, confidence: 1 }] : [],
    };
  },
};

const TIME = 'timestamp';

export const rules: readonly Rule[] = [
  {
    on: ['page.created'],
    type: 'page_published',
    identity: 'page:{entity.id}:created',
    at: TIME,
    parts: [shared, page],
  },
  {
    on: on('page', 'content_updated', 'properties_updated', 'moved', 'undeleted'),
    type: 'page_updated',
    identity: '{type}:{entity.id}:{timestamp}',
    at: TIME,
    parts: [shared, page],
  },
  {
    // Of a poll's making: Notion tells the minute, and not what was changed.
    on: ['page.edited'],
    type: 'page_updated',
    identity: '{type}:{entity.id}:{timestamp}',
    at: TIME,
    parts: [shared, page],
  },
  {
    on: ['page.deleted'],
    type: 'page_deleted',
    identity: 'page:{entity.id}:deleted:{timestamp}',
    at: TIME,
    parts: [shared, page],
  },
  {
    on: ['comment.created'],
    type: 'comment_added',
    identity: 'comment:{entity.id}',
    at: TIME,
    parts: [shared, comment],
  },
];

const toDraft = createNormalizer({
  rules,
  otherRule: (): Rule => ({ on: [], type: 'provider_event', at: TIME, parts: [shared, other] }),
  fallback: () => [],
});

/** One event is one signal. */
export function normalize(event: ProviderEvent): readonly SignalDraft[] {
  return [toDraft(event)];
}
