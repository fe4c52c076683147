import {
  type ActionContext,
  type ActionOutcome,
  type ProviderContext,
  ProviderFailure,
  type ProviderRequest,
  type ProviderResponse,
  textAt,
  timeAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';

/** GitLab's clock may be behind ours. */
const SKEW_MS = 5 * 60 * 1000;
const PAGE_SIZE = 100;
const PAGE_LIMIT = 10;

/**
 * The text under the hidden marker by which it is known again. GitLab keeps HTML comments and does not show them.
 */
export function withMarker(body: string | undefined, { marker }: ActionContext): string {
  return body ? `${body}\n\n${marker}` : marker;
}

/** Before this moment nothing of the action can have been made. */
export function beganAt({ startedAt }: ActionContext): Date {
  return new Date(startedAt.getTime() - SKEW_MS);
}

/** Whether a text of an entry carries the action's marker. */
export function isMarked(field: string, { marker }: ActionContext): (entry: unknown) => boolean {
  return (entry) => textAt(entry, field)?.includes(marker) ?? false;
}

/** The first entry that fits, over all pages of a list; null when there is none. Stops where entries are `tooOld`. */
export async function findEntry(
  context: ProviderContext,
  list: ProviderRequest,
  fits: (entry: unknown) => boolean,
  tooOld: (entry: unknown) => boolean = () => false,
): Promise<{ readonly entry: unknown; readonly response: ProviderResponse } | null> {
  let page: string | undefined = '1';
  for (let read = 0; read < PAGE_LIMIT; read += 1) {
    const response: ProviderResponse = await context.request({
      ...list,
      query: { ...list.query, per_page: PAGE_SIZE, page },
    });
    const entries = entriesOf(response);
    const entry = entries.find(fits);
    if (entry !== undefined) return { entry, response };
    // Absent or empty on the last page. https://docs.gitlab.com/api/rest/#offset-based-pagination
    page = response.headers['x-next-page'];
    if (!page || entries.some(tooOld)) return null;
  }
  throw new ProviderFailure({
    category: 'UNKNOWN',
    code: 'search_limit',
    message: `GitLab lists more than ${PAGE_LIMIT * PAGE_SIZE} entries: whether it was done can’t be told.`,
  });
}

function entriesOf(response: ProviderResponse): readonly unknown[] {
  if (!Array.isArray(response.body)) throw unexpectedAnswer(response, 'a list', { isAmbiguous: false });
  return response.body;
}

export function isBefore(time: Date, field = 'created_at'): (entry: unknown) => boolean {
  return (entry) => {
    const found = timeAt(entry, field);
    return found !== undefined && found < time;
  };
}

export function promised(outcome: ActionOutcome | undefined, response: ProviderResponse): ActionOutcome {
  if (!outcome) throw unexpectedAnswer(response, 'id and address of an entry', { isAmbiguous: false });
  return outcome;
}
