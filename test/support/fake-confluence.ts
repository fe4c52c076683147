import { at, textAt } from '../../src/connector/index.js';
import type { Clock } from '../../src/core/clock.js';
import {
  type FakeAnswer,
  type FakeHandler,
  type FakeProvider,
  type FakeRequest,
  startFakeProvider,
} from './fake-provider.js';

export const SITE = 'https://acme.atlassian.net';
export const CLOUD_ID = '99887766-a1b2-4b33-8444-def123456789';
export const EMAIL = 'ada@acme.example';
export const ADA = '5b10a2844c20165700ede21g';
const LIN = '5b10ac8d82e05b22cc7d4ef5';
/** Of the space DOCS. */
export const SPACE_ID = '65537';

export interface Version {
  readonly number: number;
  readonly createdAt: Date;
  readonly authorId: string;
  readonly message: string;
}

export interface Page {
  readonly id: string;
  readonly parentId: string | null;
  readonly authorId: string;
  readonly versions: Version[];
  title: string;
  text: string;
}

export interface Comment {
  readonly id: string;
  readonly pageId: string;
  readonly text: string;
  readonly authorId: string;
  readonly createdAt: Date;
}

export interface FakeConfluence {
  readonly provider: FakeProvider;
  /** Good at the gateway, and at no site. */
  readonly accessToken: string;
  /** Of {@link EMAIL}; good at the site, and not at the gateway. */
  readonly apiToken: string;
  readonly pages: readonly Page[];
  readonly comments: readonly Comment[];
  /** As other people do it. */
  publish(title: string): Page;
  edit(page: Page): void;
  comment(page: Page): void;
}

const API = '/wiki/api/v2';
const GATEWAY = `/ex/confluence/${CLOUD_ID}`;

/** The part of Confluence's REST API that our connector calls: a site with the space DOCS, and the gateway that leads to it. */
export async function startFakeConfluence(clock: Clock): Promise<FakeConfluence> {
  const provider = await startFakeProvider();
  const [accessToken, apiToken] = ['access_token_of_the_fake', 'api_token_of_the_fake'];
  const basic = `Basic ${Buffer.from(`${EMAIL}:${apiToken}`).toString('base64')}`;
  const pages: Page[] = [];
  const comments: Comment[] = [];
  let lastId = 100_000;

  function add(title: string, text: string, authorId: string, parentId: string | null = null): Page {
    const version = { number: 1, createdAt: clock.now(), authorId, message: '' };
    const page = { id: String(++lastId), parentId, authorId, title, text, versions: [version] };
    pages.push(page);
    return page;
  }

  function change(page: Page, title: string, text: string, version: Omit<Version, 'createdAt'>): void {
    [page.title, page.text] = [title, text];
    page.versions.push({ ...version, createdAt: clock.now() });
  }

  function addComment(pageId: string, text: string, authorId: string): Comment {
    const comment = { id: String(++lastId), pageId, text, authorId, createdAt: clock.now() };
    comments.push(comment);
    return comment;
  }

  /** On the site and behind the gateway, each with its own proof. */
  function on(route: string, handle: FakeHandler): void {
    const [method = '', path = ''] = route.split(' ');
    const guarded =
      (proof: string): FakeHandler =>
      (request, params) =>
        request.headers['authorization'] === proof ? handle(request, params) : confluenceError(401);
    provider.on(`${method} ${path}`, guarded(basic));
    provider.on(`${method} ${GATEWAY}${path}`, guarded(`Bearer ${accessToken}`));
  }

  const onPage = (route: string, handle: (page: Page, request: FakeRequest) => FakeAnswer): void =>
    on(route, (request, { id }) => {
      const page = pages.find((one) => one.id === id);
      return page ? handle(page, request) : confluenceError(404);
    });

  function createPage({ body }: FakeRequest): FakeAnswer {
    const [title, text] = [textAt(body, 'title'), storageIn(body)];
    if (!title || text === undefined || textAt(body, 'spaceId') !== SPACE_ID) return confluenceError(400);
    if (pages.some((page) => page.title === title)) return sameTitle();
    provider.addEffect('page');
    return { status: 200, body: whole(add(title, text, ADA, textAt(body, 'parentId') ?? null)) };
  }

  function putPage(page: Page, { body }: FakeRequest): FakeAnswer {
    const [title, text, number] = [textAt(body, 'title'), storageIn(body), at(body, 'version', 'number')];
    if (!title || text === undefined || textAt(body, 'id') !== page.id) return confluenceError(400);
    if (number !== page.versions.length + 1) return confluenceError(409);
    provider.addEffect('version');
    change(page, title, text, { number, authorId: ADA, message: textAt(body, 'version', 'message') ?? '' });
    return { status: 200, body: whole(page) };
  }

  function listPages({ query }: FakeRequest): FakeAnswer {
    const found = pages.filter(({ title }) => query['title'] === undefined || title === query['title']);
    const sorted = query['sort'] === '-modified-date' ? found.toSorted(byChange).toReversed() : found;
    return query['space-id'] === SPACE_ID
      ? listed(sorted.map(toPage), query, `${API}/pages`)
      : listed([], query, '');
  }

  provider.on('GET /oauth/token/accessible-resources', ({ headers }) => {
    const scopes = ['read:confluence-user', 'read:page:confluence', 'write:page:confluence'];
    const resources = [{ id: CLOUD_ID, url: SITE, name: 'acme', scopes }];
    return headers['authorization'] === `Bearer ${accessToken}`
      ? { status: 200, body: resources }
      : confluenceError(401);
  });
  on('GET /wiki/rest/api/user/current', () => ({
    status: 200,
    body: { type: 'known', accountId: ADA, displayName: 'Ada' },
  }));
  on(`GET ${API}/spaces`, ({ query }) =>
    listed(query['keys'] === 'DOCS' ? [{ id: SPACE_ID, key: 'DOCS' }] : [], query, ''),
  );
  on(`GET ${API}/spaces/{id}`, (_, { id }) =>
    id === SPACE_ID ? { status: 200, body: { id: SPACE_ID, key: 'DOCS' } } : confluenceError(404),
  );
  on(`GET ${API}/pages`, listPages);
  on(`POST ${API}/pages`, createPage);
  onPage(`GET ${API}/pages/{id}`, (page, { query }) => ({
    status: 200,
    body: query['body-format'] === 'storage' ? whole(page) : toPage(page),
  }));
  onPage(`PUT ${API}/pages/{id}`, putPage);
  onPage(`GET ${API}/pages/{id}/versions`, ({ id, versions }, { query }) =>
    listed(versions.toReversed().map(toVersion), query, `${API}/pages/${id}/versions`),
  );
  on(`GET ${API}/footer-comments`, ({ query }) =>
    listed(comments.toReversed().map(toComment), query, `${API}/footer-comments`),
  );
  on(`POST ${API}/footer-comments`, ({ body }) => {
    const [pageId = '', text] = [textAt(body, 'pageId'), storageIn(body)];
    if (text === undefined) return confluenceError(400);
    if (!pages.some(({ id }) => id === pageId)) return confluenceError(404);
    provider.addEffect('comment');
    return { status: 201, body: toComment(addComment(pageId, text, ADA)) };
  });

  add('Home', '<p>Welcome &amp; <em>hello</em></p>', LIN);
  return {
    provider,
    accessToken,
    apiToken,
    pages,
    comments,
    publish: (title) => add(title, '', LIN),
    edit: (page) =>
      change(page, page.title, `${page.text}<p>more</p>`, {
        number: page.versions.length + 1,
        authorId: LIN,
        message: '',
      }),
    comment: ({ id }) => void addComment(id, '<p>Noted.</p>', LIN),
  };
}

function byChange(one: Page, other: Page): number {
  const timeOf = ({ versions }: Page) => versions.at(-1)?.createdAt.getTime() ?? 0;
  return timeOf(one) - timeOf(other);
}

/** Storage format that is well-formed, as far as tags tell; else undefined. */
function storageIn(body: unknown): string | undefined {
  const value = at(body, 'body', 'value');
  if (textAt(body, 'body', 'representation') !== 'storage' || typeof value !== 'string') return undefined;
  return isWellFormed(value) ? value : undefined;
}

/** Tags that match each other, and no character in between that had to be escaped. */
export function isWellFormed(storage: string): boolean {
  const open: string[] = [];
  const rest = storage
    .replaceAll(/<!\[CDATA\[[\s\S]*?\]\]>/g, '')
    .replaceAll(TAG, (tag: string, closes: string, name: string, empty: string | undefined) => {
      if (closes) return open.pop() === name ? '' : tag;
      if (!empty) open.push(name);
      return '';
    });
  return open.length === 0 && !/[<>]|&(?!(?:amp|lt|gt|quot);)/.test(rest) && !CONTROL.test(storage);
}

const TAG = /<(\/?)([a-z][\w:-]*)(?: [\w:-]+="[^"<&]*(?:&(?:amp|lt|gt|quot);[^"<&]*)*")*( ?\/)?>/g;
// oxlint-disable-next-line no-control-regex -- they are what must not be there
const CONTROL = /[\u0000-\u0008\u000B\u000C\u000E-\u001F]/;

/** A page of a list, with a cursor that nobody is meant to read. */
function listed(all: readonly object[], query: FakeRequest['query'], path: string): FakeAnswer {
  const start =
    query['cursor'] === undefined ? 0 : Number(/^at-(\d+)$/.exec(query['cursor'])?.[1] ?? Number.NaN);
  if (Number.isNaN(start)) return confluenceError(400);
  const end = start + Math.min(Number(query['limit'] ?? 25), 250);
  const { cursor: _, ...same } = query;
  const next = `${path}?${new URLSearchParams({ ...same, cursor: `at-${end}` }).toString()}`;
  return {
    status: 200,
    body: {
      results: all.slice(start, end),
      _links: { base: `${SITE}/wiki`, ...(end < all.length && { next }) },
    },
  };
}

export function toVersion({ createdAt, ...version }: Version) {
  return { ...version, createdAt: createdAt.toISOString(), minorEdit: false };
}

export function toPage({ id, parentId, authorId, title, versions }: Page) {
  const [first, last] = [versions[0]!, versions.at(-1)!];
  return {
    id,
    status: 'current',
    title,
    spaceId: SPACE_ID,
    parentId,
    authorId,
    createdAt: first.createdAt.toISOString(),
    version: toVersion(last),
    body: {},
    _links: { webui: `/spaces/DOCS/pages/${id}/${encodeURIComponent(title)}` },
  };
}

function whole(page: Page) {
  return { ...toPage(page), body: { storage: { representation: 'storage', value: page.text } } };
}

export function toComment({ id, pageId, text, authorId, createdAt }: Comment) {
  return {
    id,
    status: 'current',
    title: 'Re: A page',
    pageId,
    version: { number: 1, createdAt: createdAt.toISOString(), authorId, message: '', minorEdit: false },
    body: { storage: { representation: 'storage', value: text } },
    _links: { webui: `/spaces/DOCS/pages/${pageId}?focusedCommentId=${id}` },
  };
}

function sameTitle(): FakeAnswer {
  const title =
    'A page with this title already exists: A page already exists with the same title in this space';
  return {
    status: 400,
    body: { errors: [{ status: 400, code: 'INVALID_REQUEST_PARAMETER', title, detail: null }] },
  };
}

/** An error in the form of version 2. */
export function confluenceError(status: number): FakeAnswer {
  const error = { status, code: `E${status}`, title: `Confluence says ${status}.`, detail: null };
  return { status, body: { errors: [error] } };
}
