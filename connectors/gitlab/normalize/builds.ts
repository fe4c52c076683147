import {
  type Part,
  at,
  commitHints,
  count,
  flag,
  keyHints,
  line,
  links,
  nameHints,
  numberHint,
  textAt,
} from '../../../src/connector/index.js';
import { repositoryOf } from './fields.js';

/** A tag is no branch, and both come as `ref`. */
const branchOf = (found: unknown) => (at(found, 'tag') === true ? undefined : line(found, 'ref'));

const finished = new Set(['success', 'failed', 'canceled']);
const conclusionOf = (status: string | undefined) => (status && finished.has(status) ? status : undefined);

/** https://docs.gitlab.com/user/project/integrations/webhook_events/#pipeline-events. Its variables are never read. */
export const pipeline: Part = {
  required: ['id', 'ref', 'sha', 'status', 'url'].map((field) => `object_attributes.${field}`),
  describe: (body) => {
    const found = at(body, 'object_attributes');
    const number = line(body, 'merge_request', 'iid');
    const status = line(found, 'status');
    const title = line(found, 'name') ?? line(body, 'commit', 'title') ?? line(body, 'commit', 'message');
    return {
      resource: { branch: branchOf(found), commit: line(found, 'sha'), pr_id: number },
      payload: {
        title,
        build_kind: 'pipeline',
        build_id: line(found, 'id'),
        number: count(found, 'iid'),
        trigger: line(found, 'source'),
        state: status,
        conclusion: conclusionOf(status),
        completed_at: line(found, 'finished_at'),
        duration_seconds: count(found, 'duration'),
      },
      evidence: links('build', textAt(found, 'url'), title),
      hints: [
        ...commitHints(line(found, 'sha')),
        ...numberHint(repositoryOf(body), number, '!'),
        ...nameHints(line(found, 'ref')),
        ...keyHints(line(found, 'ref')),
      ],
    };
  },
};

/** https://docs.gitlab.com/user/project/integrations/webhook_events/#job-events. It has no address of its own. */
export const job: Part = {
  required: ['build_id', 'build_name', 'build_stage', 'build_status', 'ref', 'sha', 'pipeline_id'],
  describe: (body) => {
    const status = line(body, 'build_status');
    return {
      resource: { branch: branchOf(body), commit: line(body, 'sha') },
      payload: {
        title: line(body, 'build_name'),
        build_kind: 'job',
        build_id: line(body, 'build_id'),
        run_id: line(body, 'pipeline_id'),
        workflow: line(body, 'build_stage'),
        state: status,
        conclusion: conclusionOf(status),
        summary: status === 'failed' ? line(body, 'build_failure_reason') : undefined,
        allowed_to_fail: flag(body, 'build_allow_failure'),
        started_at: line(body, 'build_started_at'),
        completed_at: line(body, 'build_finished_at'),
      },
      evidence: links('build', jobUrl(body), line(body, 'build_name')),
      hints: [
        ...commitHints(line(body, 'sha')),
        ...nameHints(line(body, 'ref')),
        ...keyHints(line(body, 'ref')),
      ],
    };
  },
};

/** Below the project, where GitLab's own pages link to it. */
function jobUrl(body: unknown): string | undefined {
  const base = textAt(body, 'project', 'web_url') ?? textAt(body, 'repository', 'homepage');
  const id = line(body, 'build_id');
  return base && id ? `${base}/-/jobs/${id}` : undefined;
}

/** https://docs.gitlab.com/user/project/integrations/webhook_events/#deployment-events */
export const deployment: Part = {
  required: ['deployment_id', 'status', 'status_changed_at', 'environment'],
  describe: (body) => ({
    resource: { environment: line(body, 'environment'), commit: commitOf(textAt(body, 'commit_url')) },
    payload: {
      deployment_id: line(body, 'deployment_id'),
      state: line(body, 'status'),
      environment_tier: line(body, 'environment_tier'),
      title: line(body, 'commit_title'),
      short_commit: line(body, 'short_sha'),
    },
    evidence: [
      ...links('deployment', textAt(body, 'environment_external_url')),
      ...links('log', textAt(body, 'deployable_url')),
    ],
    hints: commitHints(commitOf(textAt(body, 'commit_url'))),
  }),
};

/** Only the commit's address holds its whole hash. */
function commitOf(url: string | undefined): string | undefined {
  return /\/commit\/([0-9a-f]{40}|[0-9a-f]{64})$/.exec(url ?? '')?.[1];
}
