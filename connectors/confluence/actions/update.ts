import {
  type ActionContext,
  type ActionSpec,
  ProviderFailure,
  type ProviderResponse,
  at,
  listAt,
  textAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { nextOf } from '../poll/newest-first.js';
import { type Site, sites } from '../site.js';
import { toStorage } from '../storage.js';
import { isEarlier, pageOutcome, pageSchema } from './outcome.js';

const PAGE = '/wiki/api/v2/pages/{id}';
const PAGE_SIZE = 50;
const PAGE_LIMIT = 20;

/**
 * Each change is a version with the number that follows, and Confluence takes each number once (409): of two changes at
 * the same time one is refused. The version's message carries the action's id, by which it is found again.
 * https://developer.atlassian.com/cloud/confluence/rest/v2/api-group-page/#api-pages-id-put
 */
export const updatePage: ActionSpec<'updatePage'> = {
  title: 'Change a page',
  description:
    'Replaces title or text of a page. With expectedVersion nothing is changed when somebody else was faster: the failure is version_conflict.',
  requiredScopes: ['write:page:confluence'],
  idempotency: 'RECONCILED',
  outputSchema: pageSchema,

  async execute(context, { page: id, title, body, expectedVersion }) {
    const site = await sites.siteOf(context);
    const now = await readPage(site, id);
    if (expectedVersion !== undefined && expectedVersion !== String(now.version))
      throw conflict(expectedVersion, now.version);
    const response = await site.request({
      method: 'PUT',
      path: PAGE,
      params: { id },
      body: {
        id,
        status: 'current',
        title: title ?? now.title,
        body: { representation: 'storage', value: body === undefined ? now.text : toStorage(body) },
        version: { number: now.version + 1, message: messageOf(context) },
      },
    });
    return pageOutcome(response, response.body, site, { isAmbiguous: true });
  },

  async reconcile(context, { page: id }) {
    const site = await sites.siteOf(context);
    const version = await findVersion(context, site, id);
    if (version === undefined) return null;
    const { response } = await readPage(site, id);
    return pageOutcome(response, response.body, site, { isAmbiguous: false, version });
  },
};

/** People see it in the page's history. */
function messageOf({ actionId }: ActionContext): string {
  return `tributary:${actionId}`;
}

async function readPage(site: Site, id: string) {
  const response = await site.request({
    method: 'GET',
    path: PAGE,
    params: { id },
    query: { 'body-format': 'storage' },
  });
  const { body } = response;
  const [title, text, version] = [
    textAt(body, 'title'),
    at(body, 'body', 'storage', 'value'),
    at(body, 'version', 'number'),
  ];
  if (!title || typeof text !== 'string' || typeof version !== 'number')
    throw unexpectedAnswer(response, 'title, text and version of the page', { isAmbiguous: false });
  return { response, title, text, version };
}

function conflict(expected: string, found: number): ProviderFailure {
  return new ProviderFailure({
    category: 'INVALID',
    code: 'version_conflict',
    message: `The page is at version ${found} and not at ${expected.slice(0, 20)}. Look at it, and ask again with that version.`,
    isAmbiguous: false,
  });
}

/** The newest first, back to before the action began. */
async function findVersion(context: ActionContext, site: Site, id: string): Promise<unknown> {
  let cursor: string | undefined;
  for (let page = 0; page < PAGE_LIMIT; page += 1) {
    const response: ProviderResponse = await site.request({
      method: 'GET',
      path: `${PAGE}/versions`,
      params: { id },
      query: { sort: '-modified-date', limit: PAGE_SIZE, cursor },
    });
    if (!Array.isArray(at(response.body, 'results')))
      throw unexpectedAnswer(response, 'a list of versions', { isAmbiguous: false });
    const versions = listAt(response.body, 'results');
    const ours = versions.find((version) => textAt(version, 'message') === messageOf(context));
    if (ours !== undefined) return at(ours, 'number');
    cursor = nextOf(response);
    if (!cursor || isEarlier(textAt(versions.at(-1), 'createdAt'), context)) return undefined;
  }
  throw new ProviderFailure({
    category: 'UNKNOWN',
    code: 'search_limit',
    message: `The page had more than ${PAGE_LIMIT * PAGE_SIZE} versions meanwhile: whether this one was made can’t be told.`,
  });
}
