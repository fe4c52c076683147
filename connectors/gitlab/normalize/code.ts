import {
  type JsonObject,
  type Part,
  closingHints,
  commitHints,
  compact,
  count,
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
import { repositoryOf } from './fields.js';

/** GitLab sends the newest twenty commits of a push and says how many there are. */
const COMMIT_LIMIT = 20;

/** https://docs.gitlab.com/user/project/integrations/webhook_events/#push-events */
export const push: Part = {
  required: ['ref', 'before', 'after', 'checkout_sha', 'commits', 'total_commits_count'],
  describe: (body) => {
    const { branch, tag } = refOf(line(body, 'ref'));
    const after = line(body, 'after');
    const newest = commitsOf(body).at(-1);
    return {
      resource: { branch, commit: isCommit(after) ? after : undefined },
      payload: { ...pushFields(body), tag, commits: commitsOf(body).map(summary).filter(isTelling) },
      evidence: links('commit', textAt(newest, 'url'), line(newest, 'title') ?? line(newest, 'message')),
      hints: [...nameHints(branch, tag), ...keyHints(branch), ...commitHints(after), ...pushHints(body)],
    };
  },
};

function pushFields(body: unknown): JsonObject {
  const before = line(body, 'before');
  const after = line(body, 'after');
  return {
    ref: line(body, 'ref'),
    before,
    after,
    created: before === undefined ? undefined : !isCommit(before),
    deleted: after === undefined ? undefined : !isCommit(after),
    title: line(commitsOf(body).at(-1), 'message'),
    commit_count: count(body, 'total_commits_count'),
  };
}

function pushHints(body: unknown) {
  const messages = commitsOf(body).map((commit) => longText(commit, 'message'));
  return [
    ...commitHints(...commitsOf(body).map((commit) => line(commit, 'id'))),
    ...keyHints(...messages),
    ...messages.flatMap((message) => closingHints(repositoryOf(body), message)),
  ];
}

const commitsOf = (body: unknown) => listAt(body, 'commits').slice(-COMMIT_LIMIT);

/** Without addresses: a feed that many read is no place for them. */
function summary(commit: unknown): JsonObject {
  return compact({
    id: line(commit, 'id'),
    message: line(commit, 'message'),
    author: line(commit, 'author', 'name'),
    url: line(commit, 'url'),
  });
}

/** Something in the list that is no commit has nothing to tell. */
function isTelling(commit: JsonObject): boolean {
  return Object.keys(commit).length > 0;
}

/** https://docs.gitlab.com/user/project/integrations/webhook_events/#release-events */
export const release: Part = {
  required: ['id', 'tag', 'name', 'url'],
  describe: (body) => {
    const tag = line(body, 'tag');
    const title = line(body, 'name') ?? tag;
    const commit = line(body, 'commit', 'id');
    return {
      resource: { commit },
      payload: { title, tag, release_id: line(body, 'id'), body: longText(body, 'description') },
      evidence: links('release', textAt(body, 'url'), title),
      hints: [...nameHints(tag), ...commitHints(commit), ...keyHints(title)],
    };
  },
};

/** https://docs.gitlab.com/user/project/integrations/webhook_events/#wiki-page-events */
export const wikiPage: Part = {
  required: ['title', 'slug', 'url'].map((field) => `object_attributes.${field}`),
  describe: (body) => {
    const title = line(body, 'object_attributes', 'title');
    return {
      payload: {
        title,
        summary: line(body, 'object_attributes', 'message'),
        revision: line(body, 'object_attributes', 'version_id'),
      },
      keys: { page_id: line(body, 'object_attributes', 'slug') },
      evidence: links('page', textAt(body, 'object_attributes', 'url'), title),
    };
  },
};
