import { defineConnector } from '../../src/connector/index.js';
import { actions } from './actions.js';
import { auth } from './auth.js';
import { manifest } from './manifest.js';
import { normalize } from './normalize.js';
import { poll } from './poll.js';
import { webhook } from './webhook.js';

/** Jira Cloud by OAuth or API token: webhooks that an administrator sets up, poll, and actions. */
export const jira = defineConnector({ manifest, auth, webhook, poll, normalize, actions });
