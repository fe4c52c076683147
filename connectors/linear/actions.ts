import type { Actions } from '../../src/connector/index.js';
import { addIssueComment } from './actions/comments.js';
import { createIssue } from './actions/create-issue.js';
import { updateIssue } from './actions/update-issue.js';

/** What Linear can be asked to do, in the canonical words. */
export const actions: Actions = { createIssue, updateIssue, addIssueComment };
