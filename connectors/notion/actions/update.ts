import {
  type ActionContext,
  type ActionOutcome,
  type ActionSpec,
  invalid,
  textAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { toEnhanced } from '../enhanced-markdown.js';
import { requestOf } from '../version.js';
import { outcomeOf, outputSchema } from './create.js';
import { requirePage } from './target.js';
import { titleOf } from './title.js';

/**
 * Title and text are said in full, so saying them again makes of the page what it is already: NATIVE without a key.
 */
export const updatePage: ActionSpec<'updatePage'> = {
  title: 'Change a page',
  description:
    'Replaces title and text of a page. Pages and databases that stand in its text are not deleted by it: then nothing is changed.',
  requiredScopes: [],
  idempotency: 'NATIVE',
  outputSchema,

  async execute(context, { page, title, body, expectedVersion }) {
    const id = requirePage(page);
    if (expectedVersion !== undefined) {
      throw invalid('unsupported_version', 'Notion’s pages have no versions: leave expectedVersion out.');
    }
    const renamed = title === undefined ? undefined : await rename(context, id, title);
    const rewritten = body === undefined ? undefined : await rewrite(context, id, body);
    const outcome = renamed ?? rewritten;
    if (!outcome) throw invalid('nothing_to_change', 'Give a title or a body.');
    return outcome;
  },
};

/** https://developers.notion.com/reference/patch-page */
async function rename(context: ActionContext, id: string, title: string): Promise<ActionOutcome> {
  const properties = await titleOf(context, '/pages/{id}', id, title);
  const response = await requestOf(context)({
    method: 'PATCH',
    path: '/pages/{id}',
    params: { id },
    body: { properties },
  });
  return outcomeOf(response);
}

/** https://developers.notion.com/reference/update-page-markdown, in one request: there is no half of it. */
async function rewrite(context: ActionContext, id: string, markdown: string): Promise<ActionOutcome> {
  const response = await requestOf(context)({
    method: 'PATCH',
    path: '/pages/{id}/markdown',
    params: { id },
    body: { type: 'replace_content', replace_content: { new_str: toEnhanced(markdown) } },
  });
  const pageId = textAt(response.body, 'id');
  if (!pageId) throw unexpectedAnswer(response, 'the page', { isAmbiguous: true });
  return { externalId: pageId, output: { pageId } };
}
