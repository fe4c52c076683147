import { ProviderFailure, listAt, textAt } from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';
import type { Site } from './site.js';

/** The number of the space with this key. Throws ProviderFailure, NOT_FOUND where there is none. */
export async function requireSpace(site: Site, key: string): Promise<string> {
  const response = await site.request({ method: 'GET', path: '/wiki/api/v2/spaces', query: { keys: key } });
  const { body } = response;
  if (typeof body !== 'object' || body === null || !('results' in body) || !Array.isArray(body.results))
    throw unexpectedAnswer(response, 'a list of spaces', { isAmbiguous: false });
  const [space] = listAt(body, 'results');
  if (space === undefined) throw noSpace(key);
  const id = textAt(space, 'id');
  if (!id) throw unexpectedAnswer(response, 'the id of the space', { isAmbiguous: false });
  return id;
}

function noSpace(key: string): ProviderFailure {
  return new ProviderFailure({
    category: 'NOT_FOUND',
    code: 'no_space',
    message: `There is no space “${key}”, or this account may not see it.`,
    isAmbiguous: false,
  });
}
