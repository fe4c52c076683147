import {
  type JsonObject,
  type ProviderContext,
  type ProviderRequest,
  answeredAt,
  at,
  isObject,
  textAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';

/** A page as OpenAI answers it. */
export interface ListPage {
  readonly items: readonly JsonObject[];
  readonly hasMore: boolean;
  /** Where pages are not followed by an id. */
  readonly nextPage: string | undefined;
  readonly answeredAt: Date | undefined;
}

/** Throws ProviderFailure for whatever is no list. */
export async function readList(
  { request }: ProviderContext,
  path: string,
  query: NonNullable<ProviderRequest['query']>,
): Promise<ListPage> {
  const response = await request({ method: 'GET', path, query });
  const items = at(response.body, 'data');
  if (!Array.isArray(items) || !items.every((item) => isObject(item))) {
    throw unexpectedAnswer(response, 'a list of what it was asked for', { isAmbiguous: false });
  }
  const hasMore = at(response.body, 'has_more') === true;
  return {
    items,
    hasMore,
    nextPage: textAt(response.body, 'next_page'),
    answeredAt: answeredAt(response),
  };
}
