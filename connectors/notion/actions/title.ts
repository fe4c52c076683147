import {
  type ProviderContext,
  type ProviderResponse,
  isObject,
  textAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { plainText } from '../rich-text.js';
import { requestOf } from '../version.js';

/** The property that is the title, by the name it has in its data source: "Name", "Task", "Titel". */
export async function titleOf(
  context: ProviderContext,
  path: '/pages/{id}' | '/data_sources/{id}',
  id: string,
  title: string,
): Promise<Readonly<Record<string, unknown>>> {
  const response = await requestOf(context)({ method: 'GET', path, params: { id } });
  return asTitle(nameIn(response), title);
}

/** A page below a page has no other property. */
export function asTitle(name: string, title: string): Readonly<Record<string, unknown>> {
  return { [name]: { title: plainText(title) } };
}

function nameIn(response: ProviderResponse): string {
  const { body } = response;
  const properties = isObject(body) && isObject(body['properties']) ? body['properties'] : {};
  const found = Object.entries(properties).find(([, property]) => textAt(property, 'type') === 'title');
  if (found) return found[0];
  throw unexpectedAnswer(response, 'a title among the properties', { isAmbiguous: false });
}
