import type { Actions } from '../../src/connector/index.js';
import { appendBlocks } from './actions/append.js';
import { createPage } from './actions/create.js';
import { updatePage } from './actions/update.js';

/** What Notion can be asked to do, in the canonical words. */
export const actions: Actions = { createPage, updatePage, appendBlocks };
