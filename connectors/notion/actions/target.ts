import { invalid } from '../../../src/connector/index.js';

const UUID = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;
const DATA_SOURCE = 'data_source:';

/** What a page goes under. */
export interface Parent {
  readonly kind: 'page_id' | 'data_source_id';
  readonly id: string;
}

/** The id of a page, with dashes or without. Anything else is refused before a request is made. */
export function requirePage(id: string): string {
  if (UUID.test(id)) return id;
  throw invalid(
    'invalid_page',
    `A Notion page is named by its id, the 32 digits at the end of its address, not ${JSON.stringify(id)}.`,
  );
}

/** A page's id, or `data_source:` and the id of a data source, whose rows are pages. */
export function requireParent(parent: string): Parent {
  if (!parent.startsWith(DATA_SOURCE)) return { kind: 'page_id', id: requirePage(parent) };
  return { kind: 'data_source_id', id: requirePage(parent.slice(DATA_SOURCE.length)) };
}
