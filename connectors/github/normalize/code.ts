import {
  type JsonObject,
  type Part,
  at,
  closingHints,
  commitHints,
  compact,
  flag,
  isCommit,
  keyHints,
  line,
  links,
  listAt,
  longText,
  nameHints,
  refOf,
  textAt,
} from '../../../src/connector/index.js';
import { person } from './fields.js';

/** GitHub sends up to 2,048 commits of a push; a signal names the first twenty and says how many there are. */
const COMMIT_LIMIT = 20;

/** https://docs.github.com/en/webhooks/webhook-events-and-payloads#push */
export const push: Part = {
  required: ['ref', 'before', 'after', 'created', 'deleted', 'forced', 'commits', 'compare', 'head_commit'],
  describe: (body) => {
    const { branch, tag } = refOf(line(body, 'ref'));
    const after = line(body, 'after');
    return {
      resource: { branch, commit: isCommit(after) ? after : undefined },
      payload: { ...pushFields(body), tag, commits: commitsOf(body).map(summary).filter(isTelling) },
      evidence: [
        ...links('commit', textAt(body, 'head_commit', 'url'), line(body, 'head_commit', 'message')),
        ...links('compare', textAt(body, 'compare')),
      ],
      hints: [...nameHints(branch, tag), ...keyHints(branch), ...commitHints(after), ...pushHints(body)],
    };
  },
};

function pushFields(body: unknown): JsonObject {
  return {
    ref: line(body, 'ref'),
    before: line(body, 'before'),
    after: line(body, 'after'),
    created: flag(body, 'created'),
    deleted: flag(body, 'deleted'),
    forced: flag(body, 'forced'),
    title: line(body, 'head_commit', 'message'),
    commit_count: listAt(body, 'commits').length,
  };
}

function pushHints(body: unknown) {
  const repository = line(body, 'repository', 'full_name');
  const messages = commitsOf(body).map((commit) => longText(commit, 'message'));
  return [
    ...commitHints(...commitsOf(body).map((commit) => line(commit, 'id'))),
    ...keyHints(...messages),
    ...messages.flatMap((message) => closingHints(repository, message)),
  ];
}

const commitsOf = (body: unknown) => listAt(body, 'commits').slice(0, COMMIT_LIMIT);

/** Without addresses: a feed that many read is no place for them. */
function summary(commit: unknown): JsonObject {
  return compact({
    id: line(commit, 'id'),
    message: line(commit, 'message'),
    author: line(commit, 'author', 'username') ?? line(commit, 'author', 'name'),
    url: line(commit, 'url'),
  });
}

/** Something in the list that is no commit has nothing to tell. */
function isTelling(commit: JsonObject): boolean {
  return Object.keys(commit).length > 0;
}

/** `create` and `delete`: here the ref is a bare name, not `refs/heads/…`. */
export const ref: Part = {
  required: ['ref', 'ref_type'],
  describe: (body) => {
    const name = line(body, 'ref');
    const isBranch = at(body, 'ref_type') === 'branch';
    return {
      resource: { branch: isBranch ? name : undefined },
      payload: { ref: name, ref_type: line(body, 'ref_type'), tag: isBranch ? undefined : name },
      hints: [...nameHints(name), ...keyHints(name)],
    };
  },
};

/** https://docs.github.com/en/webhooks/webhook-events-and-payloads#release */
export const release: Part = {
  required: ['tag_name', 'name', 'html_url', 'draft', 'prerelease', 'author'].map(
    (field) => `release.${field}`,
  ),
  describe: (body) => {
    const tag = line(body, 'release', 'tag_name');
    const title = line(body, 'release', 'name') ?? tag;
    return {
      payload: {
        title,
        tag,
        release_id: line(body, 'release', 'id'),
        body: longText(body, 'release', 'body'),
        author: person(body, 'release', 'author'),
        draft: flag(body, 'release', 'draft'),
        prerelease: flag(body, 'release', 'prerelease'),
        target: line(body, 'release', 'target_commitish'),
      },
      evidence: links('release', textAt(body, 'release', 'html_url'), title),
      hints: [...nameHints(tag), ...keyHints(title)],
    };
  },
};

/** https://docs.github.com/en/webhooks/webhook-events-and-payloads#deployment */
export const deployment: Part = {
  required: ['id', 'sha', 'ref', 'task', 'environment'].map((field) => `deployment.${field}`),
  describe: (body) => ({
    resource: {
      environment: line(body, 'deployment', 'environment'),
      commit: line(body, 'deployment', 'sha'),
    },
    payload: {
      deployment_id: line(body, 'deployment', 'id'),
      task: line(body, 'deployment', 'task'),
      // A branch, a tag or a hash: GitHub does not say which, so it is no resource.branch.
      ref: line(body, 'deployment', 'ref'),
      description: longText(body, 'deployment', 'description'),
      production: flag(body, 'deployment', 'production_environment'),
    },
    hints: [
      ...commitHints(line(body, 'deployment', 'sha')),
      ...nameHints(line(body, 'deployment', 'ref')),
      ...keyHints(line(body, 'deployment', 'ref')),
    ],
  }),
};

/** How a deployment goes: pending, queued, waiting, in_progress, success, failure, error, inactive. */
export const deploymentStatus: Part = {
  required: ['state', 'environment', 'description'].map((field) => `deployment_status.${field}`),
  describe: (body) => ({
    resource: {
      environment: line(body, 'deployment_status', 'environment') ?? line(body, 'deployment', 'environment'),
    },
    payload: {
      deployment_status_id: line(body, 'deployment_status', 'id'),
      state: line(body, 'deployment_status', 'state'),
      description: longText(body, 'deployment_status', 'description'),
    },
    evidence: [
      ...links('deployment', textAt(body, 'deployment_status', 'environment_url')),
      ...links(
        'log',
        textAt(body, 'deployment_status', 'log_url') ?? textAt(body, 'deployment_status', 'target_url'),
      ),
    ],
  }),
};
