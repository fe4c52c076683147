import type { Actions } from '../../src/connector/index.js';
import { completeChat } from './actions/chat.js';
import { createEmbedding } from './actions/embedding.js';

/** What OpenAI can be asked to do, in the canonical words. */
export const actions: Actions = { completeChat, createEmbedding };
