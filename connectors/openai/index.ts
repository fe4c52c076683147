import { defineConnector } from '../../src/connector/index.js';
import { actions } from './actions.js';
import { auth } from './auth.js';
import { manifest } from './manifest.js';
import { normalize } from './normalize.js';
import { poll } from './poll.js';
import { webhook } from './webhook.js';

/** OpenAI's platform by API key: what its jobs came to, what was used, chats and embeddings. */
export const openai = defineConnector({ manifest, auth, webhook, poll, normalize, actions });
