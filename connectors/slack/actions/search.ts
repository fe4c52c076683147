import {
  type ActionContext,
  type ProviderRequest,
  type ProviderResponse,
  ProviderFailure,
  at,
  textAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';

/** Slack's clock may be behind ours. */
const SKEW_MS = 5 * 60 * 1000;
/** Slack gives fewer to apps that are sold outside its marketplace, 15 a page. */
const PAGE_SIZE = 200;
const PAGE_LIMIT = 20;
const EVENT_TYPE = 'tributary_action';

/** What no reader sees and every app in the channel could: that we sent it, and for which action. https://docs.slack.dev/messaging/message-metadata */
export function metadataOf({ actionId }: ActionContext) {
  return { event_type: EVENT_TYPE, event_payload: { action_id: actionId } };
}

/**
 * The ts of the message that carries our action, of those since the action began. Null when there is none. Throws where
 * Slack does not let us read the channel: then nobody knows.
 */
export async function findMarked(
  context: ActionContext,
  path: '/conversations.history' | '/conversations.replies',
  query: NonNullable<ProviderRequest['query']>,
): Promise<string | null> {
  const oldest = ((context.startedAt.getTime() - SKEW_MS) / 1000).toFixed(6);
  let cursor: string | undefined;
  for (let read = 0; read < PAGE_LIMIT; read += 1) {
    const response: ProviderResponse = await context.request({
      method: 'GET',
      path,
      query: { ...query, oldest, limit: PAGE_SIZE, include_all_metadata: 'true', cursor },
    });
    const found = messagesOf(response).find((message) => isOurs(message, context));
    if (found !== undefined) return tsOf(found, response);
    // Empty on the last page. https://docs.slack.dev/apis/web-api/pagination
    cursor = textAt(response.body, 'response_metadata', 'next_cursor');
    if (cursor === undefined) return null;
  }
  throw new ProviderFailure({
    category: 'UNKNOWN',
    code: 'search_limit',
    message: `The channel has had more than ${PAGE_LIMIT} pages of messages since: whether it was sent can’t be told.`,
  });
}

function messagesOf(response: ProviderResponse): readonly unknown[] {
  const messages = at(response.body, 'messages');
  if (!Array.isArray(messages)) throw unexpectedAnswer(response, 'the messages', { isAmbiguous: false });
  return messages;
}

function tsOf(message: unknown, response: ProviderResponse): string {
  const ts = textAt(message, 'ts');
  if (ts === undefined) throw unexpectedAnswer(response, 'the ts of a message', { isAmbiguous: false });
  return ts;
}

function isOurs(message: unknown, { actionId }: ActionContext): boolean {
  const isTributary = textAt(message, 'metadata', 'event_type') === EVENT_TYPE;
  return isTributary && textAt(message, 'metadata', 'event_payload', 'action_id') === actionId;
}
