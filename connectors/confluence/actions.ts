import type { Actions } from '../../src/connector/index.js';
import { addIssueComment } from './actions/comment.js';
import { createPage } from './actions/create.js';
import { updatePage } from './actions/update.js';

/** What Confluence can be asked to do, in the canonical words. */
export const actions: Actions = { addIssueComment, createPage, updatePage };
