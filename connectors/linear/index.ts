import { defineConnector } from '../../src/connector/index.js';
import { actions } from './actions.js';
import { auth } from './auth.js';
import { manifest } from './manifest.js';
import { normalize } from './normalize.js';
import { poll } from './poll.js';
import { webhook } from './webhook.js';

/** Linear by consent or personal API key, webhook and poll; all of it GraphQL. */
export const linear = defineConnector({ manifest, auth, webhook, poll, normalize, actions });
