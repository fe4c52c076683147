import {
  type ActionSpec,
  type ProviderContext,
  type ProviderResponse,
  invalid,
  listAt,
  textAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { type Block, requestsOf, toBlocks } from '../blocks.js';
import { requestOf } from '../version.js';
import { requirePage } from './target.js';

/**
 * Notion has neither a key for it nor a place where a mark would not be seen, so that blocks whose answer was lost can't be
 * told from the same words of somebody else: hence AT_MOST_ONCE.
 */
export const appendBlocks: ActionSpec<'appendBlocks'> = {
  title: 'Add to a page',
  description: 'Adds Markdown at the end of a page, in several requests where it is long.',
  requiredScopes: [],
  idempotency: 'AT_MOST_ONCE',
  outputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['pageId', 'blockIds'],
    properties: { pageId: { type: 'string' }, blockIds: { type: 'array', items: { type: 'string' } } },
  },

  async execute(context, { page, body }) {
    const pageId = requirePage(page);
    const blocks = toBlocks(body);
    if (blocks.length === 0) throw invalid('no_text', 'The text says nothing that Notion could show.');
    const blockIds = await appendAll(context, pageId, requestsOf(blocks));
    return { externalId: blockIds[0] ?? pageId, output: { pageId, blockIds } };
  },
};

/** One after the other, as each goes to the end. Answers the ids of what was made, without what lies in it. */
export async function appendAll(
  context: ProviderContext,
  id: string,
  requests: readonly (readonly Block[])[],
): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const children of requests) ids.push(...(await append(context, id, children)));
  return ids;
}

/** https://developers.notion.com/reference/patch-block-children */
async function append(
  context: ProviderContext,
  id: string,
  children: readonly Block[],
): Promise<readonly string[]> {
  const response = await requestOf(context)({
    method: 'PATCH',
    path: '/blocks/{id}/children',
    params: { id },
    body: { children },
  });
  return idsOf(response);
}

function idsOf(response: ProviderResponse): readonly string[] {
  const ids = listAt(response.body, 'results').map((block) => textAt(block, 'id'));
  const known = ids.filter((id) => id !== undefined);
  if (known.length > 0 && known.length === ids.length) return known;
  throw unexpectedAnswer(response, 'the blocks that were added', { isAmbiguous: true });
}
