import { on } from '../../../src/connector/index.js';
import { deployment, job, pipeline } from './builds.js';
import { area, inProject } from './rules.js';

/** https://docs.gitlab.com/api/pipelines lists the statuses; `manual`, `skipped` and `canceling` begin and end nothing. */
const waiting = ['created', 'waiting_for_resource', 'preparing', 'pending', 'scheduled'];
/** How a pipeline or a job comes to its end. */
export const ended: readonly string[] = ['success', 'failed', 'canceled'];

const PIPELINE = 'pipeline:{object_attributes.id}';

/** A pipeline that is retried ends once more: when tells one end from another. */
const pipelines = area(
  [...inProject, pipeline],
  [
    {
      on: on('pipeline', ...waiting),
      type: 'build_queued',
      identity: `${PIPELINE}:queued`,
      at: 'object_attributes.created_at',
    },
    { on: on('pipeline', 'running'), type: 'build_started', identity: `${PIPELINE}:started` },
    {
      on: on('pipeline', ...ended),
      type: 'build_finished',
      identity: `${PIPELINE}:finished:{object_attributes.finished_at}`,
      at: 'object_attributes.finished_at',
    },
  ],
);

/** A job that is retried is another job. */
const jobs = area(
  [...inProject, job],
  [
    { on: on('build', ...waiting), type: 'build_queued', identity: 'job:{build_id}:queued' },
    {
      on: on('build', 'running'),
      type: 'build_started',
      identity: 'job:{build_id}:started',
      at: 'build_started_at',
    },
    {
      on: on('build', ...ended),
      type: 'build_finished',
      identity: 'job:{build_id}:finished',
      at: 'build_finished_at',
    },
  ],
);

const deployments = area(
  [...inProject, deployment],
  [
    {
      on: on('deployment', 'created', 'running', 'success', 'failed', 'canceled', 'blocked', 'skipped'),
      type: 'deployment_status_changed',
      identity: 'deployment:{deployment_id}:{status}:{status_changed_at}',
      at: 'status_changed_at',
    },
  ],
);

/** Pipelines, jobs and deployments. */
export const buildRules = [...pipelines, ...jobs, ...deployments];
