import { randomUUID } from 'node:crypto';
import { at, isObject, listAt, textAt } from '../../src/connector/index.js';
import type { Clock } from '../../src/core/clock.js';
import { type FakeAnswer, type FakeProvider, type FakeRequest, startFakeProvider } from './fake-provider.js';

export const WORKSPACE = '5f0c0000-0000-4000-8000-000000000001';
export const BOT = '5f0c0000-0000-4000-8000-0000000000b0';
export const ADA = '5f0c0000-0000-4000-8000-0000000000ad';
/** There from the beginning: a page, and a data source of pages. */
export const HOME = '5f0c0000-0000-4000-8000-000000000010';
export const TASKS = '5f0c0000-0000-4000-8000-000000000020';

export interface FakePage {
  readonly id: string;
  readonly parent: Readonly<Record<string, string>>;
  readonly createdAt: Date;
  readonly titleName: string;
  title: string;
  editedAt: Date;
  /** Its text where it was last replaced as a whole. */
  markdown?: string;
}

export interface FakeNotion {
  readonly provider: FakeProvider;
  /** The only token it accepts. */
  readonly token: string;
  /** Oldest first; the first is {@link HOME}. */
  readonly pages: readonly FakePage[];
  /** By page: what was put into it. */
  readonly blocks: ReadonlyMap<string, readonly unknown[]>;
  addPage(title: string): FakePage;
  edit(page: FakePage): void;
  /** From now on the bot is one that a person, {@link ADA}, has consented to in a workspace. */
  consent(workspace?: string): void;
}

const VERSIONS = new Set(['2025-09-03', '2026-03-11']);
const LIST_LIMIT = 100;
const TEXT_LIMIT = 2_000;

/** Notion's API as far as the connector asks it. https://developers.notion.com/reference */
export async function startFakeNotion(clock: Clock): Promise<FakeNotion> {
  const provider = await startFakeProvider();
  const token = ['ntn', 'of_the_fake'].join('_');
  const pages: FakePage[] = [];
  const blocks = new Map<string, unknown[]>();
  let isPersons = false;
  let workspaceId = WORKSPACE;

  /** Notion tells no seconds. */
  const minute = (): Date => new Date(Math.floor(clock.now().getTime() / 60_000) * 60_000);

  function add(id: string, title: string, parent: FakePage['parent'], titleName = 'title'): FakePage {
    const page = { id, title, parent, titleName, createdAt: minute(), editedAt: minute() };
    pages.push(page);
    return page;
  }
  add(HOME, 'Home', { type: 'workspace' });

  function create({ body }: FakeRequest): FakeAnswer {
    const parent = at(body, 'parent');
    const source = textAt(parent, 'data_source_id');
    const above = textAt(parent, 'page_id');
    if (source !== TASKS && !pages.some(({ id }) => id === above)) return notionError(404);
    const titleName = source ? 'Task' : 'title';
    const title = textAt(body, 'properties', titleName, 'title', 0, 'text', 'content');
    const children = listAt(body, 'children');
    if (title === undefined || !children.every(isGood) || children.length > LIST_LIMIT)
      return notionError(400);
    const under = source
      ? { type: 'data_source_id', data_source_id: source }
      : { type: 'page_id', page_id: above! };
    const page = add(randomUUID(), title, under, titleName);
    blocks.set(page.id, [...children]);
    provider.addEffect('page created');
    return { status: 200, body: toPage(page) };
  }

  function append({ body }: FakeRequest, id: string): FakeAnswer {
    if (!pages.some((page) => page.id === id)) return notionError(404);
    const children = listAt(body, 'children');
    if (children.length === 0 || children.length > LIST_LIMIT || !children.every(isGood))
      return notionError(400);
    blocks.set(id, [...(blocks.get(id) ?? []), ...children]);
    provider.addEffect('blocks appended');
    const results = children.map((child) => ({
      object: 'block',
      id: randomUUID(),
      type: textAt(child, 'type'),
    }));
    return {
      status: 200,
      body: { object: 'list', type: 'block', block: {}, results, has_more: false, next_cursor: null },
    };
  }

  function change(page: FakePage, { body }: FakeRequest): FakeAnswer {
    const title = textAt(body, 'properties', page.titleName, 'title', 0, 'text', 'content');
    if (title === undefined) return notionError(400);
    if (title !== page.title) provider.addEffect('page renamed');
    [page.title, page.editedAt] = [title, minute()];
    return { status: 200, body: toPage(page) };
  }

  function rewrite(page: FakePage, { body }: FakeRequest): FakeAnswer {
    const markdown = textAt(body, 'replace_content', 'new_str');
    if (textAt(body, 'type') !== 'replace_content' || markdown === undefined) return notionError(400);
    if (markdown !== page.markdown) provider.addEffect('page rewritten');
    [page.markdown, page.editedAt] = [markdown, minute()];
    const rest = { truncated: false, unknown_block_ids: [] };
    return { status: 200, body: { object: 'page_markdown', id: page.id, markdown, ...rest } };
  }

  /** Cursors are ids, so that what is edited meanwhile shifts nothing. */
  function search({ body }: FakeRequest): FakeAnswer {
    const found = pages
      .map((page, index) => ({ page, index }))
      .toSorted(
        (one, other) =>
          other.page.editedAt.getTime() - one.page.editedAt.getTime() || other.index - one.index,
      )
      .map(({ page }) => page);
    const cursor = textAt(body, 'start_cursor');
    const start = cursor === undefined ? 0 : found.findIndex(({ id }) => id === cursor);
    if (start < 0) return notionError(400);
    const end = start + Number(at(body, 'page_size') ?? LIST_LIMIT);
    const next = found[end]?.id ?? null;
    const results = found.slice(start, end).map(toPage);
    const rest = {
      has_more: next !== null,
      next_cursor: next,
      type: 'page_or_data_source',
      page_or_data_source: {},
    };
    return { status: 200, body: { object: 'list', results, ...rest } };
  }

  const on = (route: string, handle: (request: FakeRequest, id: string) => FakeAnswer): void =>
    provider.on(route, (request, { id = '' }) => {
      if (request.headers['authorization'] !== `Bearer ${token}`) return notionError(401);
      if (!VERSIONS.has(request.headers['notion-version'] ?? '')) return notionError(400, 'missing_version');
      return handle(request, id);
    });
  const onPage = (route: string, handle: (page: FakePage, request: FakeRequest) => FakeAnswer): void =>
    on(route, (request, id) => {
      const page = pages.find((one) => one.id === id);
      return page ? handle(page, request) : notionError(404);
    });

  on('GET /users/me', () => ({ status: 200, body: me(isPersons, workspaceId) }));
  on('POST /pages', create);
  onPage('GET /pages/{id}', (page) => ({ status: 200, body: toPage(page) }));
  onPage('PATCH /pages/{id}', change);
  onPage('PATCH /pages/{id}/markdown', rewrite);
  on('PATCH /blocks/{id}/children', append);
  on('GET /data_sources/{id}', (_request, id) =>
    id === TASKS ? { status: 200, body: tasks } : notionError(404),
  );
  on('POST /search', search);

  return {
    provider,
    token,
    pages,
    blocks,
    addPage: (title) => add(randomUUID(), title, { type: 'page_id', page_id: HOME }),
    edit: (page) => void (page.editedAt = minute()),
    consent: (workspace = WORKSPACE) => void ([isPersons, workspaceId] = [true, workspace]),
  };
}

function me(isPersons: boolean, workspaceId: string) {
  const person = { object: 'user', id: ADA, name: 'Ada', avatar_url: null, type: 'person', person: {} };
  const owner = isPersons ? { type: 'user', user: person } : { type: 'workspace', workspace: true };
  const bot = { owner, workspace_id: workspaceId, workspace_name: 'Acme' };
  return { object: 'user', id: BOT, name: 'Tributary', avatar_url: null, type: 'bot', bot };
}

const tasks = {
  object: 'data_source',
  id: TASKS,
  properties: {
    Due: { id: 'abcd', name: 'Due', type: 'date' },
    Task: { id: 'title', name: 'Task', type: 'title' },
  },
};

export function toPage({ id, parent, title, titleName, createdAt, editedAt }: FakePage) {
  const text = { type: 'text', text: { content: title, link: null }, plain_text: title, href: null };
  return {
    object: 'page',
    id,
    created_time: createdAt.toISOString(),
    last_edited_time: editedAt.toISOString(),
    created_by: { object: 'user', id: BOT },
    last_edited_by: { object: 'user', id: BOT },
    parent,
    in_trash: false,
    properties: { [titleName]: { id: 'title', type: 'title', title: [text] } },
    url: `https://www.notion.so/${id.replaceAll('-', '')}`,
    public_url: null,
  };
}

/** Whether Notion would take a block, by the limits of https://developers.notion.com/reference/request-limits. */
function isGood(block: unknown, depth: unknown = 0): boolean {
  const level = typeof depth === 'number' ? depth : 0;
  const type = textAt(block, 'type');
  const content = type === undefined ? undefined : at(block, type);
  if (!isObject(content)) return false;
  const texts = [...listAt(content, 'rich_text'), ...listAt(content, 'cells').flat()];
  const children = listAt(content, 'children');
  const isShort = listAt(content, 'rich_text').length <= LIST_LIMIT && children.length <= LIST_LIMIT;
  const fits = texts.every((text) => (textAt(text, 'text', 'content') ?? '').length <= TEXT_LIMIT);
  return (
    isShort &&
    fits &&
    (children.length === 0 || level < 2) &&
    children.every((child) => isGood(child, level + 1))
  );
}

const CODES: Readonly<Record<number, readonly [code: string, message: string]>> = {
  400: ['validation_error', 'body failed validation.'],
  401: ['unauthorized', 'API token is invalid.'],
  403: ['restricted_resource', 'Insufficient permissions for this endpoint.'],
  404: ['object_not_found', 'Could not find page. Make sure it is shared with your integration.'],
  409: ['conflict_error', 'Conflict occurred while saving.'],
  429: ['rate_limited', 'You have been rate limited.'],
  503: ['service_unavailable', 'Public API service is temporarily unavailable.'],
  529: ['service_overload', 'Notion is overloaded.'],
};

/** An error in Notion's own form. */
export function notionError(status: number, code?: string): FakeAnswer {
  const [known, message] = CODES[status] ?? ['internal_server_error', 'Unexpected error occurred.'];
  return {
    status,
    body: { object: 'error', status, code: code ?? known, message, request_id: randomUUID() },
  };
}
