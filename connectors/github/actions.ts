import type { Actions } from '../../src/connector/index.js';
import { addIssueComment, commentOnPullRequest } from './actions/comments.js';
import { setCommitStatus } from './actions/commit-status.js';
import { createIssue } from './actions/issues.js';
import { mergePullRequest } from './actions/merge.js';

/** What GitHub can be asked to do, in the canonical words. */
export const actions: Actions = {
  createIssue,
  addIssueComment,
  commentOnPullRequest,
  setCommitStatus,
  mergePullRequest,
};
