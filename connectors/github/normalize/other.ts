import { type Part, at, isObject, textAt } from '../../../src/connector/index.js';
import { checkRun, checkSuite, workflowJob, workflowRun } from './builds.js';
import { deployment, release } from './code.js';
import { installation, member, orgMember, team } from './account.js';
import type { GitHubRule } from './rules.js';
import { details, organization, repository, sender, thing } from './shared.js';
import { comment, issue, pullRequest, review } from './work.js';

/** Where the subject lies, when it is not called like its event. */
const subjects: Readonly<Record<string, string>> = {
  branch_protection_rule: 'rule',
  code_scanning_alert: 'alert',
  dependabot_alert: 'alert',
  deploy_key: 'key',
  issues: 'issue',
  meta: 'hook',
  page_build: 'build',
  public: 'repository',
  repository_ruleset: 'repository_ruleset',
  repository_vulnerability_alert: 'alert',
  secret_scanning_alert: 'alert',
};

/** Parts that are recognized wherever they turn up, in the order in which later ones say more. */
const known: Readonly<Record<string, Part>> = {
  organization,
  installation,
  team,
  member,
  membership: orgMember,
  workflow_run: workflowRun,
  workflow_job: workflowJob,
  check_suite: checkSuite,
  check_run: checkRun,
  deployment,
  release,
  issue,
  pull_request: pullRequest,
  review,
  comment,
};

const firstActions = new Set(['created', 'create', 'opened', 'requested', 'added']);
const lastActions = new Set(['deleted', 'removed']);

/**
 * The rule for every event that no rule names, known to GitHub or not: a `provider_event` that says what can be read
 * without knowing it. It has no identity of its own, and nothing can be missing from it.
 */
export function otherRule(type: string, body: unknown): GitHubRule {
  const event = type.split('.', 1)[0] ?? type;
  const subject = Object.hasOwn(subjects, event) ? (subjects[event] ?? event) : event;
  const present = Object.entries(known).filter(([key]) => isObject(at(body, key)));
  const time = timePath(body, subject);
  return {
    on: [],
    type: 'provider_event',
    ...(time && { at: time }),
    parts: [
      details,
      repository,
      sender,
      ...(Object.hasOwn(known, subject) ? [] : [thing(subject)]),
      ...present.map(([, part]) => part),
    ],
  };
}

/** A new thing tells when it was made, a changed one when it changed, and a deleted one tells nothing. */
function timePath(body: unknown, subject: string): string | undefined {
  const action = textAt(body, 'action') ?? '';
  if (lastActions.has(action)) return undefined;
  return `${subject}.${firstActions.has(action) ? 'created_at' : 'updated_at'}`;
}
