import { defineConnector } from '../../src/connector/index.js';
import { actions } from './actions.js';
import { auth } from './auth.js';
import { manifest } from './manifest.js';
import { normalize } from './normalize.js';
import { poll } from './poll.js';

/** Confluence Cloud by OAuth or API token: poll and actions. It has no webhooks for apps like ours. */
export const confluence = defineConnector({ manifest, auth, poll, normalize, actions });
