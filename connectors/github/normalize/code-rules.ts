import { at, on } from '../../../src/connector/index.js';
import { checkRun, checkSuite, isCheckRun, isStatus, status, workflowJob, workflowRun } from './builds.js';
import { deployment, deploymentStatus, push, ref, release } from './code.js';
import { area, inRepository } from './rules.js';

const isOf = (kind: string) => (body: unknown) => at(body, 'ref_type') === kind;

const refs = [
  // GitHub gives a push no id. The same two commits can be pushed again after a force push or a deleted branch,
  // so the second of the push belongs to its name.
  ...area(
    [...inRepository, push],
    [
      {
        on: ['push'],
        type: 'push',
        identity: 'push:{repository.id}:{ref}:{before}:{after}:{repository.pushed_at}',
        at: 'head_commit.timestamp',
      },
    ],
  ),
  // A branch may be made and deleted any number of times, and the body has no time of its own: the delivery names it.
  ...area(
    [...inRepository, ref],
    [
      { on: ['create'], when: isOf('branch'), type: 'branch_created' },
      { on: ['create'], when: isOf('tag'), type: 'tag_created' },
      { on: ['delete'], when: isOf('branch'), type: 'branch_deleted' },
      { on: ['create', 'delete'], type: 'provider_event' },
    ],
  ),
];

const releases = area(
  [...inRepository, release],
  [
    {
      on: on('release', 'published'),
      type: 'release_published',
      identity: 'release:{release.id}:published',
      at: 'release.published_at',
    },
    // No `at`: `release.created_at` is the time of the commit. GitHub sends `released` beside `published`.
    {
      on: on('release', 'created', 'edited', 'deleted', 'prereleased', 'released', 'unpublished'),
      type: 'provider_event',
    },
  ],
);

const deployments = [
  ...area(
    [...inRepository, deployment],
    [
      {
        on: on('deployment', 'created'),
        type: 'deployment_created',
        identity: 'deployment:{deployment.id}',
        at: 'deployment.created_at',
      },
    ],
  ),
  ...area(
    [...inRepository, deployment, deploymentStatus],
    [
      {
        on: on('deployment_status', 'created'),
        type: 'deployment_status_changed',
        identity: 'deployment_status:{deployment_status.id}',
        at: 'deployment_status.created_at',
      },
    ],
  ),
];

/** A check run can be completed and started anew under the same id, so the time belongs to the name. */
const checkFinished = {
  type: 'build_finished',
  identity: 'check_run:{check_run.id}:finished:{check_run.completed_at}',
  at: 'check_run.completed_at',
} as const;

const checks = [
  // It is `created` in whatever state its app says.
  ...area(
    [...inRepository, checkRun],
    [
      {
        on: on('check_run', 'created'),
        when: isCheckRun('queued', 'waiting', 'requested', 'pending'),
        type: 'build_queued',
        identity: 'check_run:{check_run.id}:queued',
        at: 'check_run.started_at',
      },
      {
        on: on('check_run', 'created'),
        when: isCheckRun('in_progress'),
        type: 'build_started',
        identity: 'check_run:{check_run.id}:started:{check_run.started_at}',
        at: 'check_run.started_at',
      },
      { on: on('check_run', 'created'), when: isCheckRun('completed'), ...checkFinished },
      { on: on('check_run', 'completed'), ...checkFinished },
      { on: on('check_run', 'rerequested'), type: 'build_queued' },
      { on: on('check_run', 'created', 'requested_action'), type: 'provider_event' },
    ],
  ),
  ...area(
    [...inRepository, checkSuite],
    [
      {
        on: on('check_suite', 'requested'),
        type: 'build_queued',
        identity: 'check_suite:{check_suite.id}:requested',
        at: 'check_suite.created_at',
      },
      { on: on('check_suite', 'rerequested'), type: 'build_queued' },
      {
        on: on('check_suite', 'completed'),
        type: 'build_finished',
        identity: 'check_suite:{check_suite.id}:finished:{check_suite.updated_at}',
        at: 'check_suite.updated_at',
      },
    ],
  ),
];

/** A run keeps its id when it is run again and counts its attempts; a job gets a new id with each. */
const RUN = 'workflow_run:{workflow_run.id}:{workflow_run.run_attempt}';
const JOB = 'workflow_job:{workflow_job.id}';

const workflows = [
  ...area(
    [...inRepository, workflowRun],
    [
      {
        on: on('workflow_run', 'requested'),
        type: 'build_queued',
        identity: `${RUN}:requested`,
        at: 'workflow_run.run_started_at',
      },
      {
        on: on('workflow_run', 'in_progress'),
        type: 'build_started',
        identity: `${RUN}:started`,
        at: 'workflow_run.updated_at',
      },
      {
        on: on('workflow_run', 'completed'),
        type: 'build_finished',
        identity: `${RUN}:finished`,
        at: 'workflow_run.updated_at',
      },
    ],
  ),
  ...area(
    [...inRepository, workflowJob],
    [
      {
        on: on('workflow_job', 'queued', 'waiting'),
        type: 'build_queued',
        identity: `${JOB}:{action}`,
        at: 'workflow_job.created_at',
      },
      {
        on: on('workflow_job', 'in_progress'),
        type: 'build_started',
        identity: `${JOB}:started`,
        at: 'workflow_job.started_at',
      },
      {
        on: on('workflow_job', 'completed'),
        type: 'build_finished',
        identity: `${JOB}:finished`,
        at: 'workflow_job.completed_at',
      },
    ],
  ),
];

const commitStatus = { on: ['status'], identity: 'status:{id}', at: 'created_at' } as const;

const statuses = area(
  [...inRepository, status],
  [
    { ...commitStatus, when: isStatus('pending'), type: 'build_started' },
    { ...commitStatus, when: isStatus('success', 'failure', 'error'), type: 'build_finished' },
    { ...commitStatus, type: 'provider_event' },
  ],
);

/** Commits and what is made of them: refs, releases, deployments, builds. */
export const codeRules = [...refs, ...releases, ...deployments, ...checks, ...workflows, ...statuses];
