import type { Actions } from '../../src/connector/index.js';
import { triggerBuild } from './actions/builds.js';
import { addIssueComment, commentOnPullRequest } from './actions/comments.js';
import { setCommitStatus } from './actions/commit-status.js';
import { createIssue, updateIssue } from './actions/issues.js';
import { mergePullRequest } from './actions/merge.js';
import { addReaction } from './actions/reactions.js';

/** What GitHub can be asked to do, in the canonical words. */
export const actions: Actions = {
  createIssue,
  updateIssue,
  addIssueComment,
  addReaction,
  commentOnPullRequest,
  mergePullRequest,
  setCommitStatus,
  triggerBuild,
};
