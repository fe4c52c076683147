import {
  type ActionContext,
  type ActionOutcome,
  type ProviderContext,
  ProviderFailure,
  type ProviderRequest,
  type ProviderResponse,
  textAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';

/** GitHub's clock may be behind ours. */
const SKEW_MS = 5 * 60 * 1000;
const PAGE_SIZE = 100;
const PAGE_LIMIT = 10;

/**
 * The text under the hidden marker by which {@link findMarked} knows it again. GitHub keeps HTML comments and does not
 * show them.
 */
export function withMarker(body: string | undefined, { marker }: ActionContext): string {
  return body ? `${body}\n\n${marker}` : marker;
}

/**
 * What became of an earlier attempt: the first thing in a list that carries the marker, among all that changed since
 * the action began. Null when it is certainly not there. The list has to be in order of creation: then a quotation of
 * ours comes after ours, and what is added meanwhile can't push an entry past us.
 */
export async function findMarked(
  context: ActionContext,
  list: ProviderRequest,
  toOutcome: (entry: unknown) => ActionOutcome | undefined,
): Promise<ActionOutcome | null> {
  const since = { ...list, query: { ...list.query, since: sinceOf(context.startedAt) } };
  const isMarked = (entry: unknown): boolean => textAt(entry, 'body')?.includes(context.marker) ?? false;
  const found = await findEntry(context, since, isMarked);
  return found ? promised(toOutcome(found.entry), found.response) : null;
}

/** The first entry that fits, over all pages of a list; null when there is none. */
export async function findEntry(
  context: ProviderContext,
  list: ProviderRequest,
  fits: (entry: unknown) => boolean,
): Promise<{ readonly entry: unknown; readonly response: ProviderResponse } | null> {
  let next: Record<string, string> | undefined;
  for (let page = 0; page < PAGE_LIMIT; page += 1) {
    const response = await context.request({
      ...list,
      query: { ...list.query, per_page: PAGE_SIZE, ...next },
    });
    const entry = entriesOf(response).find(fits);
    if (entry !== undefined) return { entry, response };
    next = nextQuery(response.headers['link']);
    if (!next) return null;
  }
  throw new ProviderFailure({
    category: 'UNKNOWN',
    code: 'search_limit',
    message: `GitHub lists more than ${PAGE_LIMIT * PAGE_SIZE} entries: whether it was done can’t be told.`,
  });
}

function entriesOf(response: ProviderResponse): readonly unknown[] {
  if (!Array.isArray(response.body)) throw unexpectedAnswer(response, 'a list', { isAmbiguous: false });
  return response.body;
}

export function promised(outcome: ActionOutcome | undefined, response: ProviderResponse): ActionOutcome {
  if (!outcome) throw unexpectedAnswer(response, 'id and address of an entry', { isAmbiguous: false });
  return outcome;
}

/** `Link: <https://…?page=2>; rel="next"`. Only its query is used, so an answer can't send us to another place. */
export function nextQuery(link: string | undefined): Record<string, string> | undefined {
  const [, address] = /<([^<>]*)>;\s*rel="next"/.exec(link ?? '') ?? [];
  return address === undefined ? undefined : Object.fromEntries(new URLSearchParams(address.split('?')[1]));
}

/** GitHub counts whole seconds and takes no fractions. */
function sinceOf(startedAt: Date): string {
  return new Date(startedAt.getTime() - SKEW_MS).toISOString().replace(/\.\d+Z$/, 'Z');
}
