import { defineConnector } from '../../src/connector/index.js';
import { actions } from './actions.js';
import { auth } from './auth.js';
import { manifest } from './manifest.js';
import { normalize } from './normalize.js';
import { webhook } from './webhook.js';

/** GitHub.com by personal access token and webhook. */
export const github = defineConnector({ manifest, auth, webhook, normalize, actions });
