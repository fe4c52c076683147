import { defineConnector } from '../../src/connector/index.js';
import { actions } from './actions.js';
import { auth } from './auth.js';
import { checkSettings } from './check.js';
import { manifest } from './manifest.js';
import { mapping } from './mapping.js';
import { normalize } from './normalize.js';
import { webhook } from './webhook.js';

/** Whatever speaks HTTP and JSON: the tenant's settings say how it signs, what its events mean and what it can do. */
export const generic = defineConnector({
  manifest,
  auth,
  webhook,
  normalize,
  mapping,
  actions,
  checkSettings,
});
