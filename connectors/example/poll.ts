import {
  type Poll,
  type PolledEvent,
  type ProviderResponse,
  isObject,
  listAt,
  textAt,
} from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';

/**
 * Example keeps a log of its events and gives each place in it a cursor: the best there is for polling, since nothing
 * depends on a clock. https://example.com/docs/api/events
 */
export const poll: Poll = {
  // A log misses nothing and shows nothing late. Where one has to ask by time, say how late things turn up.
  overlapSeconds: 0,

  // One stream for all. Where there is something to choose, settings name it, and each has a stream of its own.
  streams: () => [{ name: 'events', title: 'The log of events' }],

  async page({ request }, { cursor, since }) {
    const response = await request({
      method: 'GET',
      path: '/v1/events',
      query: { limit: 100, ...(typeof cursor === 'string' ? { cursor } : { since: since.toISOString() }) },
    });
    const next = textAt(response.body, 'next_cursor');
    if (!next) {
      throw unexpectedAnswer(response, 'the cursor that leads on', { isAmbiguous: false });
    }
    return {
      events: listAt(response.body, 'items').map((item) => toEvent(response, item)),
      nextCursor: next,
      isComplete: !(isObject(response.body) && response.body['has_more'] === true),
    };
  },
};

/** The log has the very bodies that webhooks bring, and an id for each entry: what is found twice is known by it. */
function toEvent(response: ProviderResponse, item: unknown): PolledEvent {
  const [id, type] = [textAt(item, 'id'), textAt(item, 'type')];
  if (!isObject(item) || !id || !type) {
    throw unexpectedAnswer(response, 'id or type of an event', { isAmbiguous: false });
  }
  return { id, type, body: item };
}
