import { type ActionSpec, compact, isProviderFailure, listAt, textAt } from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { type Site, sites } from '../site.js';
import { requireSpace } from '../space.js';
import { toStorage } from '../storage.js';
import { isEarlier, pageOutcome, pageSchema } from './outcome.js';

const PAGES = '/wiki/api/v2/pages';

/**
 * A title is unique within its space: that is what finds a page again whose answer was lost, and what keeps a second from
 * being made. https://developer.atlassian.com/cloud/confluence/rest/v2/api-group-page/#api-pages-post
 */
export const createPage: ActionSpec<'createPage'> = {
  title: 'Create a page',
  description:
    'Publishes a page below another (by its id) or at the top of a space (by its key or id). Titles are unique within a space.',
  requiredScopes: ['write:page:confluence'],
  idempotency: 'RECONCILED',
  outputSchema: pageSchema,

  async execute(context, { parent, title, body }) {
    const site = await sites.siteOf(context);
    const response = await site.request({
      method: 'POST',
      path: PAGES,
      body: {
        ...(await placeOf(site, parent)),
        status: 'current',
        title,
        body: { representation: 'storage', value: toStorage(body ?? '') },
      },
    });
    return pageOutcome(response, response.body, site, { isAmbiguous: true });
  },

  async reconcile(context, { parent, title }) {
    const site = await sites.siteOf(context);
    const { spaceId } = await placeOf(site, parent);
    const [me, response] = await Promise.all([
      accountOf(site),
      site.request({ method: 'GET', path: PAGES, query: { 'space-id': spaceId, title, limit: 25 } }),
    ]);
    const { body } = response;
    if (typeof body !== 'object' || body === null || !('results' in body))
      throw unexpectedAnswer(response, 'a list of pages', { isAmbiguous: false });
    const ours = listAt(body, 'results').find(
      (page) => textAt(page, 'authorId') === me && !isEarlier(textAt(page, 'createdAt'), context),
    );
    return ours === undefined ? null : pageOutcome(response, ours, site, { isAmbiguous: false, version: 1 });
  },
};

/** Pages and spaces have numbers of their own kinds; a space has a key as well, which is no number. */
async function placeOf(site: Site, parent: string): Promise<{ spaceId: string; parentId?: string }> {
  if (!/^\d+$/.test(parent)) return { spaceId: await requireSpace(site, parent) };
  try {
    const response = await site.request({ method: 'GET', path: `${PAGES}/{id}`, params: { id: parent } });
    const spaceId = textAt(response.body, 'spaceId');
    if (!spaceId) throw unexpectedAnswer(response, 'the space of the page', { isAmbiguous: false });
    return compact({ spaceId, parentId: parent });
  } catch (error) {
    if (!isProviderFailure(error, { category: 'NOT_FOUND' })) throw error;
    await site.request({ method: 'GET', path: '/wiki/api/v2/spaces/{id}', params: { id: parent } });
    return { spaceId: parent };
  }
}

async function accountOf(site: Site): Promise<string> {
  const response = await site.request({ method: 'GET', path: '/wiki/rest/api/user/current' });
  const id = textAt(response.body, 'accountId');
  if (!id) throw unexpectedAnswer(response, 'the account', { isAmbiguous: false });
  return id;
}
