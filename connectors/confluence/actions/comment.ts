import { type ActionSpec, compact, textAt } from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { sites } from '../site.js';
import { toStorage } from '../storage.js';
import { urlOf } from './outcome.js';

/**
 * A comment has neither a key nor a title by which it could be known again.
 * https://developer.atlassian.com/cloud/confluence/rest/v2/api-group-comment/#api-footer-comments-post
 */
export const addIssueComment: ActionSpec<'addIssueComment'> = {
  title: 'Comment on a page',
  description: 'Adds a comment below a page. “issue” is the id of the page.',
  requiredScopes: ['write:comment:confluence'],
  idempotency: 'AT_MOST_ONCE',
  outputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['id'],
    properties: { id: { type: 'string' }, url: { type: 'string' } },
  },

  async execute(context, { issue, body }) {
    const site = await sites.siteOf(context);
    const response = await site.request({
      method: 'POST',
      path: '/wiki/api/v2/footer-comments',
      body: { pageId: issue, body: { representation: 'storage', value: toStorage(body) } },
    });
    const id = textAt(response.body, 'id');
    if (!id) throw unexpectedAnswer(response, 'the id of the comment', { isAmbiguous: true });
    const url = urlOf(response.body, site);
    return { externalId: id, ...(url && { url }), output: compact({ id, url }) };
  },
};
