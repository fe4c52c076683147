import { defineConnector } from '../../src/connector/index.js';
import { actions } from './actions.js';
import { auth } from './auth.js';
import { manifest } from './manifest.js';
import { normalize } from './normalize.js';
import { poll } from './poll.js';
import { webhook } from './webhook.js';

/** Notion: what happens to the pages that were shared with an integration, and pages of its own. */
export const notion = defineConnector({ manifest, auth, webhook, poll, normalize, actions });
