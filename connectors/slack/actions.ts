import type { Actions } from '../../src/connector/index.js';
import { postMessage, replyInThread } from './actions/messages.js';
import { addReaction } from './actions/reactions.js';

/** What Slack can be asked to do, in the canonical words. */
export const actions: Actions = { postMessage, replyInThread, addReaction };
