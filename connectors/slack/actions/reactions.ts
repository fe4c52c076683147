import { type ActionContext, type ActionSpec, at, isProviderFailure } from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { requireChannel, requireMessage } from './target.js';

/** Nobody reacts twice in the same way: Slack refuses the second, which is as good as the first. */
export const addReaction: ActionSpec<'addReaction'> = {
  title: 'React to a message',
  description: 'Adds an emoji to a message, by its name in Slack: "thumbsup", or one of the workspace’s own.',
  requiredScopes: ['reactions:write'],
  idempotency: 'NATIVE',
  outputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['channel', 'message', 'name'],
    properties: { channel: { type: 'string' }, message: { type: 'string' }, name: { type: 'string' } },
  },

  async execute(context, { channel, message, name }) {
    const target = { channel: requireChannel(channel), message: requireMessage(message) };
    await react(context, { channel: target.channel, timestamp: target.message, name });
    return { externalId: `${target.channel}:${target.message}:${name}`, output: { ...target, name } };
  },
};

/** https://docs.slack.dev/reference/methods/reactions.add */
async function react({ request }: ActionContext, body: Readonly<Record<string, string>>): Promise<void> {
  try {
    const headers = { 'content-type': 'application/json; charset=utf-8' };
    const response = await request({ method: 'POST', path: '/reactions.add', headers, body });
    if (at(response.body, 'ok') !== true) throw unexpectedAnswer(response, 'ok', { isAmbiguous: true });
  } catch (error) {
    if (!isProviderFailure(error, { code: 'already_reacted' })) throw error;
  }
}
