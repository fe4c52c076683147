import {
  type ActionContext,
  type ActionOutcome,
  type ActionSpec,
  type ProviderResponse,
  textAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { requestsOf, toBlocks } from '../blocks.js';
import { requestOf } from '../version.js';
import { appendAll } from './append.js';
import { type Parent, requireParent } from './target.js';
import { asTitle, titleOf } from './title.js';

export const outputSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['pageId'],
  properties: { pageId: { type: 'string' }, url: { type: 'string' } },
} as const;

/** https://developers.notion.com/reference/post-page. Why AT_MOST_ONCE is said at appendBlocks. */
export const createPage: ActionSpec<'createPage'> = {
  title: 'Create a page',
  description:
    'Makes a page under another one, or as a row of a database: then parent is "data_source:" and the id of its data source.',
  requiredScopes: [],
  idempotency: 'AT_MOST_ONCE',
  outputSchema,

  async execute(context, { parent, title, body }) {
    const target = requireParent(parent);
    const properties = await propertiesOf(context, target, title);
    const [children, ...rest] = requestsOf(toBlocks(body ?? ''));
    const response = await requestOf(context)({
      method: 'POST',
      path: '/pages',
      body: { parent: { [target.kind]: target.id }, properties, ...(children && { children }) },
    });
    const outcome = outcomeOf(response);
    // What of a long text did not go with it.
    await appendAll(context, outcome.externalId, rest);
    return outcome;
  },
};

async function propertiesOf(context: ActionContext, { kind, id }: Parent, title: string) {
  return kind === 'page_id' ? asTitle('title', title) : titleOf(context, '/data_sources/{id}', id, title);
}

export function outcomeOf(response: ProviderResponse): ActionOutcome {
  const [id, url] = ['id', 'url'].map((field) => textAt(response.body, field));
  if (!id) throw unexpectedAnswer(response, 'the page', { isAmbiguous: true });
  return { externalId: id, ...(url && { url }), output: { pageId: id, ...(url && { url }) } };
}
