import type { Actions } from '../../src/connector/index.js';
import { triggerBuild } from './actions/builds.js';
import { setCommitStatus } from './actions/commit-status.js';
import { createIssue, updateIssue } from './actions/issues.js';
import { mergePullRequest } from './actions/merge.js';
import { addIssueComment, commentOnPullRequest } from './actions/notes.js';

/** What GitLab can be asked to do, in the canonical words. */
export const actions: Actions = {
  createIssue,
  updateIssue,
  addIssueComment,
  commentOnPullRequest,
  mergePullRequest,
  setCommitStatus,
  triggerBuild,
};
