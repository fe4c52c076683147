import {
  type ActionOutcome,
  type ActionSpec,
  ProviderFailure,
  type ProviderResponse,
  at,
  compact,
  textAt,
} from '../../../src/connector/index.js';
import { toAdf } from '../adf.js';
import { unexpectedAnswer } from '../answer.js';
import { type Site, sites } from '../site.js';
import { browseUrl } from './create.js';
import { isEarlier, isMarked, markOf } from './marked.js';

const COMMENTS = '/rest/api/3/issue/{issue}/comment';
const PAGE_SIZE = 100;
const PAGE_LIMIT = 10;

/** https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-comments/ */
export const addIssueComment: ActionSpec<'addIssueComment'> = {
  title: 'Comment on an issue',
  description: 'Adds a comment to an issue, named by its key: "SHOP-12".',
  requiredScopes: ['write:jira-work'],
  idempotency: 'RECONCILED',
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
      path: COMMENTS,
      params: { issue },
      body: { body: { ...toAdf(body) }, properties: markOf(context) },
    });
    return outcomeOf(response, response.body, issue, site, true);
  },

  /** The newest first: what is added meanwhile pushes ours towards the pages that are still to be read. */
  async reconcile(context, { issue }) {
    const site = await sites.siteOf(context);
    for (let page = 0; page < PAGE_LIMIT; page += 1) {
      const response = await site.request({
        method: 'GET',
        path: COMMENTS,
        params: { issue },
        query: {
          orderBy: '-created',
          expand: 'properties',
          startAt: page * PAGE_SIZE,
          maxResults: PAGE_SIZE,
        },
      });
      const comments = at(response.body, 'comments');
      if (!Array.isArray(comments))
        throw unexpectedAnswer(response, 'a list of comments', { isAmbiguous: false });
      const found: unknown = comments.find((comment) => isMarked(comment, context));
      if (found !== undefined) return outcomeOf(response, found, issue, site, false);
      if (comments.length < PAGE_SIZE || isEarlier(textAt(comments.at(-1), 'created'), context)) return null;
    }
    throw new ProviderFailure({
      category: 'UNKNOWN',
      code: 'search_limit',
      message: `More than ${PAGE_LIMIT * PAGE_SIZE} comments were made meanwhile: whether this one was can’t be told.`,
    });
  },
};

function outcomeOf(
  response: ProviderResponse,
  comment: unknown,
  issue: string,
  { url: site }: Site,
  isAmbiguous: boolean,
): ActionOutcome {
  const id = textAt(comment, 'id');
  if (!id) throw unexpectedAnswer(response, 'the id of the comment', { isAmbiguous });
  const page = browseUrl(site, issue);
  const url = page && `${page}?focusedCommentId=${encodeURIComponent(id)}`;
  return { externalId: id, ...(url && { url }), output: compact({ id, url }) };
}
