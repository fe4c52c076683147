import { defineConnector } from '../../src/connector/index.js';
import { actions } from './actions.js';
import { auth } from './auth.js';
import { manifest } from './manifest.js';
import { normalize } from './normalize.js';
import { poll } from './poll.js';
import { webhook } from './webhook.js';

/** Copy this folder to start a new connector: see README.md. A part that is left out is a capability it lacks. */
export const example = defineConnector({ manifest, auth, webhook, poll, normalize, actions });
