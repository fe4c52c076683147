import type { Actions } from '../../src/connector/index.js';
import { createIncident } from './actions/create.js';
import { resolveIncident } from './actions/resolve.js';

/** What PagerDuty can be asked to do, in the canonical words. */
export const actions: Actions = { createIncident, resolveIncident };
