import type { Actions } from '../../src/connector/index.js';
import { completeChat } from './chat.js';

/** There is nothing to make vectors with: Anthropic has no embeddings. */
export const actions: Actions = { completeChat };
