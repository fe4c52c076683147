import {
  type Part,
  at,
  commitHints,
  count,
  each,
  keyHints,
  line,
  links,
  nameHints,
  numberHint,
  textAt,
} from '../../../src/connector/index.js';
import { pullRequestsOf } from './shared.js';

/** A check run, check suite, workflow run or workflow job: GitHub's four kinds of build share most of their fields. */
function build(key: string, required: readonly string[]): Part {
  return {
    required: required.map((field) => `${key}.${field}`),
    describe: (body) => {
      const pulls = pullRequestsOf(body, key);
      const branch = branchOf(body, key);
      return {
        resource: {
          branch,
          commit: line(body, key, 'head_sha'),
          // With several there is no one pull request; the hints name them all.
          pr_id: pulls.length === 1 ? pulls[0] : undefined,
        },
        payload: buildFields(at(body, key), key),
        evidence: links('build', textAt(body, key, 'html_url'), titleOf(body, key)),
        hints: [
          ...commitHints(line(body, key, 'head_sha')),
          ...pulls.flatMap((number) => numberHint(line(body, 'repository', 'full_name'), number)),
          ...nameHints(branch),
          ...keyHints(branch),
        ],
      };
    },
  };
}

const branchOf = (body: unknown, key: string) =>
  line(body, key, 'head_branch') ?? line(body, key, 'check_suite', 'head_branch');

const titleOf = (body: unknown, key: string) => line(body, key, 'name') ?? line(body, key, 'app', 'name');

function buildFields(found: unknown, key: string) {
  return {
    title: line(found, 'name') ?? line(found, 'app', 'name'),
    build_kind: key,
    build_id: line(found, 'id'),
    run_id: line(found, 'run_id'),
    number: count(found, 'run_number'),
    attempt: count(found, 'run_attempt'),
    workflow: line(found, 'workflow_name') ?? line(found, 'path'),
    trigger: line(found, 'event'),
    state: line(found, 'status'),
    conclusion: line(found, 'conclusion'),
    summary: line(found, 'display_title') ?? line(found, 'output', 'title'),
    app: line(found, 'app', 'slug') ?? line(found, 'app', 'name'),
    started_at: line(found, 'run_started_at') ?? line(found, 'started_at'),
    completed_at: line(found, 'completed_at'),
  };
}

/** What all four have. The rest of the list is what GitHub promises for each. */
const always = ['head_sha', 'status', 'conclusion'];

/** https://docs.github.com/en/webhooks/webhook-events-and-payloads#check_run */
export const checkRun = build('check_run', [...always, 'name', 'html_url', 'check_suite', 'pull_requests']);
/** https://docs.github.com/en/webhooks/webhook-events-and-payloads#check_suite */
export const checkSuite = build('check_suite', [...always, 'head_branch', 'app', 'pull_requests']);
/** https://docs.github.com/en/webhooks/webhook-events-and-payloads#workflow_run */
export const workflowRun = build('workflow_run', [
  ...always,
  'name',
  'html_url',
  'head_branch',
  'pull_requests',
  'event',
]);
/** https://docs.github.com/en/webhooks/webhook-events-and-payloads#workflow_job */
export const workflowJob = build('workflow_job', [...always, 'name', 'html_url', 'run_id', 'head_branch']);

/** A commit status, from builds outside GitHub: the body itself is the status. */
export const status: Part = {
  required: ['sha', 'state', 'context', 'description', 'target_url', 'branches'],
  describe: (body) => {
    const branches = each(body, ['branches'], 'name') ?? [];
    const state = line(body, 'state');
    return {
      resource: { commit: line(body, 'sha'), branch: branches.length === 1 ? branches[0] : undefined },
      payload: {
        title: line(body, 'context'),
        build_kind: 'status',
        build_id: line(body, 'id'),
        state,
        conclusion: state === 'pending' ? undefined : state,
        summary: line(body, 'description'),
        branches,
      },
      evidence: [
        ...links('build', textAt(body, 'target_url'), line(body, 'context')),
        ...links('commit', textAt(body, 'commit', 'html_url')),
      ],
      hints: [...commitHints(line(body, 'sha')), ...nameHints(...branches), ...keyHints(...branches)],
    };
  },
};

/** True when a check run that was just created is in one of these states. */
export const isCheckRun =
  (...states: readonly string[]) =>
  (body: unknown): boolean =>
    states.includes(String(at(body, 'check_run', 'status')));

/** True when a commit status says one of these. */
export const isStatus =
  (...states: readonly string[]) =>
  (body: unknown): boolean =>
    states.includes(String(at(body, 'state')));
