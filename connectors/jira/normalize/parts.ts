import {
  type JsonObject,
  type Part,
  at,
  clean,
  compact,
  each,
  keyHints,
  line,
  links,
  listAt,
} from '../../../src/connector/index.js';
import { readAdf } from '../adf.js';

const BODY_LIMIT = 10_000;
const CHANGE_LIMIT = 50;

/** A user as `{ id, name }`. Servers of old know no accountId. */
function person(value: unknown, ...path: readonly string[]): JsonObject | undefined {
  const id = line(value, ...path, 'accountId') ?? line(value, ...path, 'key');
  const name = line(value, ...path, 'displayName');
  return id || name ? compact({ id, name }) : undefined;
}

/** What people wrote: wiki text in webhooks, a document where REST answers. */
function prose(value: unknown): string | undefined {
  const read = readAdf(value);
  return read === undefined ? undefined : clean(read.slice(0, BODY_LIMIT)) || undefined;
}

/** Who did it. A comment's own events name its author only. */
export const actor: Part = {
  required: [],
  describe: (body) => {
    const found =
      person(body, 'user') ?? person(body, 'comment', 'updateAuthor') ?? person(body, 'comment', 'author');
    return { payload: { actor: found }, keys: { user_id: line(found, 'id') } };
  },
};

export function issueLink(body: unknown) {
  const [site, key] = [line(body, 'site'), line(body, 'issue', 'key')];
  if (!site || !key) return [];
  return links(
    'issue',
    `${site}/browse/${encodeURIComponent(key)}`,
    line(body, 'issue', 'fields', 'summary'),
  );
}

const described: Part['describe'] = (body) => {
  const fields = at(body, 'issue', 'fields');
  const key = line(body, 'issue', 'key');
  return {
    payload: {
      issue_id: line(body, 'issue_id'),
      project: line(fields, 'project', 'key'),
      title: line(fields, 'summary'),
      body: prose(at(fields, 'description')),
      issue_type: line(fields, 'issuetype', 'name'),
      state: line(fields, 'status', 'name'),
      state_category: line(fields, 'status', 'statusCategory', 'key'),
      priority: line(fields, 'priority', 'name'),
      resolution: line(fields, 'resolution', 'name'),
      author: person(fields, 'reporter') ?? person(fields, 'creator'),
      assignee: person(fields, 'assignee'),
      labels: labelsOf(fields),
      components: each(fields, ['components'], 'name'),
      fix_versions: each(fields, ['fixVersions'], 'name'),
    },
    keys: { issue_key: key, project_key: line(fields, 'project', 'key') },
    evidence: issueLink(body),
    hints: [
      ...(key ? [{ type: 'resource_id' as const, value: key, confidence: 1 }] : []),
      ...keyHints(line(fields, 'summary')),
    ],
  };
};

/** The issue that it is about. */
export const issue: Part = {
  required: ['issue.id', 'issue.key', 'issue.fields.summary', 'issue.fields.project'],
  describe: described,
};

/** The same where Jira does not promise that the issue comes along: with comments. */
export const issueIfAny: Part = { required: [], describe: described };

function labelsOf(fields: unknown): readonly string[] | undefined {
  const labels = listAt(fields, 'labels').filter((label) => typeof label === 'string');
  return labels.length > 0 ? labels.slice(0, 100).map(clean) : undefined;
}

/** What was changed: `{ field, from, to }` each, in the words people see. */
export const changes: Part = {
  required: ['changelog.items'],
  describe: (body) => {
    const found = listAt(body, 'changelog', 'items').slice(0, CHANGE_LIMIT);
    const list = Array.from(found, (item) =>
      compact({
        field: line(item, 'fieldId') ?? line(item, 'field'),
        from: line(item, 'fromString') ?? line(item, 'from'),
        to: textOf(item, 'toString') ?? line(item, 'to'),
      }),
    );
    return { payload: { changes: list.length > 0 ? list : undefined } };
  },
};

/** `toString` is a method of every object, and a field of this one. */
function textOf(item: unknown, field: string): string | undefined {
  return typeof at(item, field) === 'string' ? line(item, field) : undefined;
}

/** The comment. `body` and `author` are its own from here on: title and state stay those of its issue. */
export const comment: Part = {
  required: ['comment.id', 'comment.body', 'comment.author'],
  describe: (body) => {
    const id = line(body, 'comment', 'id');
    const [link] = issueLink(body);
    const url = link && id ? `${link.url}?focusedCommentId=${encodeURIComponent(id)}` : undefined;
    return {
      payload: {
        comment_id: id,
        body: prose(at(body, 'comment', 'body')),
        author: person(body, 'comment', 'author'),
      },
      evidence: links('comment', url),
    };
  },
};

/** A version of a project. */
export const version: Part = {
  required: ['version.id', 'version.name'],
  describe: (body) => ({
    payload: {
      title: line(body, 'version', 'name'),
      body: prose(at(body, 'version', 'description')),
      project_id: line(body, 'version', 'projectId'),
      version_id: line(body, 'version', 'id'),
    },
  }),
};

/** A user of the site, as the subject. */
export const user: Part = {
  required: ['user.accountId'],
  describe: (body) => ({
    payload: { user: person(body, 'user') },
    keys: { user_id: line(body, 'user', 'accountId') },
  }),
};

/** Anything else with a name: sprints, boards, projects, links. */
export const other: Part = {
  required: [],
  describe: (body) => {
    const subject = ['sprint', 'board', 'project', 'issueLink', 'worklog', 'attachment'].find((key) =>
      at(body, key),
    );
    if (!subject) return {};
    return {
      payload: {
        subject: compact({ type: subject, id: line(body, subject, 'id') }),
        title: line(body, subject, 'name'),
        state: line(body, subject, 'state'),
      },
    };
  },
};
