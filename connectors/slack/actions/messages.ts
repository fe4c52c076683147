import {
  type ActionContext,
  type ActionOutcome,
  type ActionSpec,
  type ProviderResponse,
  invalid,
  textAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { toMrkdwn } from '../mrkdwn.js';
import { metadataOf, findMarked } from './search.js';
import { requireChannel, requireMessage } from './target.js';

/** What is longer Slack cuts. https://docs.slack.dev/reference/methods/chat.postMessage */
const TEXT_LIMIT = 40_000;

const outputSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['channel', 'message'],
  properties: {
    channel: { type: 'string' },
    message: { type: 'string', description: 'The ts, by which replies and reactions name it.' },
  },
} as const;

/** https://docs.slack.dev/reference/methods/chat.postMessage */
export const postMessage: ActionSpec<'postMessage'> = {
  title: 'Post a message',
  description:
    'Writes into a channel that the app is in, or into any public one with chat:write.public. Nobody is mentioned.',
  requiredScopes: ['chat:write'],
  idempotency: 'RECONCILED',
  outputSchema,
  execute: async (context, { channel, text }) => post(context, requireChannel(channel), text),
  reconcile: async (context, input) => {
    const channel = requireChannel(input.channel);
    const ts = await findMarked(context, '/conversations.history', { channel });
    return ts === null ? null : toOutcome(channel, ts);
  },
};

/** The same, below the message that began the thread. */
export const replyInThread: ActionSpec<'replyInThread'> = {
  title: 'Reply in a thread',
  description: 'Answers below a message. The channel itself does not show it.',
  requiredScopes: ['chat:write'],
  idempotency: 'RECONCILED',
  outputSchema,
  execute: async (context, { channel, thread, text }) =>
    post(context, requireChannel(channel), text, requireMessage(thread)),
  reconcile: async (context, input) => {
    const channel = requireChannel(input.channel);
    const query = { channel, ts: requireMessage(input.thread) };
    const ts = await findMarked(context, '/conversations.replies', query);
    return ts === null ? null : toOutcome(channel, ts);
  },
};

async function post(
  context: ActionContext,
  channel: string,
  markdown: string,
  thread?: string,
): Promise<ActionOutcome> {
  const response = await context.request({
    method: 'POST',
    path: '/chat.postMessage',
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: {
      channel,
      text: requireText(markdown),
      // Else "@somebody" in a text would call them, without any brackets.
      link_names: false,
      metadata: metadataOf(context),
      ...(thread !== undefined && { thread_ts: thread }),
    },
  });
  return postedIn(response);
}

function requireText(markdown: string): string {
  const text = toMrkdwn(markdown);
  if (text === '') throw invalid('no_text', 'The text says nothing that Slack could show.');
  if (text.length <= TEXT_LIMIT) return text;
  throw invalid(
    'text_too_long',
    `For Slack the text has ${text.length} characters, and ${TEXT_LIMIT} is the most: send it as several messages.`,
  );
}

/** Slack tells the channel as well: it is the one that later requests have to name. */
function postedIn(response: ProviderResponse): ActionOutcome {
  const [channel, ts] = ['channel', 'ts'].map((field) => textAt(response.body, field));
  if (channel && ts) return toOutcome(channel, ts);
  throw unexpectedAnswer(response, 'channel and ts of the message', { isAmbiguous: true });
}

function toOutcome(channel: string, ts: string): ActionOutcome {
  return { externalId: ts, output: { channel, message: ts } };
}
