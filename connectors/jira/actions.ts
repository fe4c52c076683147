import type { Actions } from '../../src/connector/index.js';
import { addIssueComment } from './actions/comments.js';
import { createIssue } from './actions/create.js';
import { updateIssue } from './actions/update.js';

/** What Jira can be asked to do, in the canonical words. */
export const actions: Actions = { createIssue, updateIssue, addIssueComment };
