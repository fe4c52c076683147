import { defineConnector } from '../../src/connector/index.js';
import { actions } from './actions.js';
import { auth } from './auth.js';
import { manifest } from './manifest.js';
import { normalize } from './normalize.js';
import { webhook } from './webhook.js';

/** Slack by app: what is said and done in the channels that its bot can see, and messages of its own. */
export const slack = defineConnector({ manifest, auth, webhook, normalize, actions });
