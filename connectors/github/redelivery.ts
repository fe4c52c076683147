import {
  type Json,
  type JsonObject,
  type ProviderContext,
  ProviderFailure,
  type Redelivered,
  type RedeliveryRequest,
  type RegisteredWebhook,
  at,
  count,
  isObject,
  listAt,
  textAt,
} from '../../src/connector/index.js';
import { nextQuery } from './actions/search.js';
import { unexpectedAnswer } from './answer.js';
import { hooksOf } from './hooks.js';

/** All of a page may have failed, and all that is asked for counts as content, of which GitHub takes 500 an hour. */
const PAGE_SIZE = 25;
/** So that a long outage is made good by and by: the next time goes on from there. */
const PAGE_LIMIT = 20;
const ASK_LIMIT = 25;

/** Where the list of deliveries is read on. It has the newest first. Times are GitHub's own. */
interface Place {
  /** What was delivered before then has been looked at, and of that very moment these. */
  readonly seen: string;
  readonly ids: readonly string[];
  /** While it is being read: the same of its beginning, and what the next page is asked by. */
  readonly newest?: Pick<Place, 'seen' | 'ids'>;
  readonly next?: Readonly<Record<string, string>>;
}

interface Page {
  readonly deliveries: readonly JsonObject[];
  readonly next: Readonly<Record<string, string>> | undefined;
}

/**
 * GitHub never repeats a delivery by itself, and keeps it for three days: so failed ones are looked for, and asked for once
 * more each. What arrives twice has the same id and is recognized.
 * https://docs.github.com/en/webhooks/using-webhooks/automatically-redelivering-failed-deliveries-for-a-repository-webhook
 */
export async function redeliver(
  context: ProviderContext,
  registered: RegisteredWebhook,
  { cursor, since }: RedeliveryRequest,
): Promise<Redelivered> {
  let place = toPlace(cursor, since);
  let asked = 0;
  // Whatever came through since needs no second time.
  const arrived = new Set<string | undefined>();
  for (let pages = 0; pages < PAGE_LIMIT && asked < ASK_LIMIT; pages += 1) {
    const page = await readPage(context, registered, place);
    for (const delivery of page.deliveries.filter((one) => isNew(one, place))) {
      const guid = textAt(delivery, 'guid');
      if (hasArrived(delivery)) arrived.add(guid);
      else if (!arrived.has(guid) && isWorthIt(delivery)) {
        arrived.add(guid);
        if (await ask(context, registered, delivery)) asked += 1;
      }
    }
    const isOver = !page.next || page.deliveries.some((one) => !isNew(one, place));
    place = nextPlace(place, page, isOver);
    if (isOver) break;
  }
  return { nextCursor: { ...place } as unknown as Json, asked };
}

function toPlace(cursor: Json, since: Date): Place {
  return isObject(cursor) ? (cursor as unknown as Place) : { seen: since.toISOString(), ids: [] };
}

/** https://docs.github.com/en/rest/repos/webhooks#list-deliveries-for-a-repository-webhook, and the same of organizations. */
async function readPage(
  { request }: ProviderContext,
  { externalId: id, target }: RegisteredWebhook,
  { next }: Place,
): Promise<Page> {
  const list = hooksOf(target, '/{id}/deliveries', { id });
  const response = await request({ method: 'GET', ...list, query: { per_page: PAGE_SIZE, ...next } });
  const { body } = response;
  if (
    !Array.isArray(body) ||
    !body.every((one) => isObject(one) && textAt(one, 'delivered_at') !== undefined)
  ) {
    throw unexpectedAnswer(response, 'a list of deliveries', { isAmbiguous: false });
  }
  return { deliveries: listAt(body).filter(isObject), next: nextQuery(response.headers['link']) };
}

function isNew(delivery: JsonObject, { seen, ids }: Place): boolean {
  const [time, limit] = [timeOf(delivery), Date.parse(seen)];
  return time > limit || (time === limit && !ids.includes(textAt(delivery, 'id') ?? ''));
}

function nextPlace(place: Place, { deliveries, next }: Page, isOver: boolean): Place {
  const newest = place.newest ?? newestOf(deliveries) ?? { seen: place.seen, ids: place.ids };
  return isOver || !next ? newest : { ...place, newest, next };
}

/** What has just been delivered may share its moment with what the list shows later. */
function newestOf(deliveries: readonly JsonObject[]): Pick<Place, 'seen' | 'ids'> | undefined {
  const latest = Math.max(...deliveries.map(timeOf));
  const seen = textAt(
    deliveries.find((one) => timeOf(one) === latest),
    'delivered_at',
  );
  if (seen === undefined) return undefined;
  const ids = deliveries.filter((one) => timeOf(one) === latest).map((one) => textAt(one, 'id') ?? '');
  return { seen, ids };
}

const timeOf = (delivery: JsonObject): number => Date.parse(textAt(delivery, 'delivered_at') ?? '');

function hasArrived(delivery: JsonObject): boolean {
  const status = count(delivery, 'status_code') ?? 0;
  return status >= 200 && status < 400;
}

/** What we have refused twice is refused for good; what did not get through may be asked for again. */
function isWorthIt(delivery: JsonObject): boolean {
  const status = count(delivery, 'status_code') ?? 0;
  return at(delivery, 'redelivery') !== true || status < 400 || status >= 500;
}

/**
 * https://docs.github.com/en/rest/repos/webhooks#redeliver-a-delivery-for-a-repository-webhook: done later, hence 202. False
 * where GitHub does not do it: it does not keep that delivery any more, and to ask again would not help.
 */
async function ask(
  { request }: ProviderContext,
  { externalId: id, target }: RegisteredWebhook,
  delivery: JsonObject,
): Promise<boolean> {
  const params = { id, delivery: textAt(delivery, 'id') ?? '' };
  try {
    await request({ method: 'POST', ...hooksOf(target, '/{id}/deliveries/{delivery}/attempts', params) });
    return true;
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    if (error.details.category !== 'INVALID' && error.details.category !== 'NOT_FOUND') throw error;
    return false;
  }
}
