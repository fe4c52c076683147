import { defineConnector } from '../../src/connector/index.js';
import { actions } from './actions.js';
import { auth } from './auth.js';
import { manifest } from './manifest.js';
import { normalize } from './normalize.js';
import { poll } from './poll.js';
import { webhook } from './webhook.js';

/** GitLab.com and GitLab anywhere else, by consent or access token, webhook and poll. */
export const gitlab = defineConnector({ manifest, auth, webhook, poll, normalize, actions });
