import {
  type Part,
  at,
  compact,
  count,
  isObject,
  line,
  links,
  listAt,
  longText,
  textAt,
} from '../../../src/connector/index.js';
import { person } from './fields.js';

const CHANGE_LIMIT = 50;

/** Who did it: on nearly every event. Deleted users are shown as `ghost`. */
export const sender: Part = {
  required: ['sender.id', 'sender.login'],
  describe: (body) => ({
    payload: { actor: person(body, 'sender') },
    keys: { user_id: line(body, 'sender', 'id') },
  }),
};

/** Where it happened. */
export const repository: Part = {
  required: ['repository.id', 'repository.full_name'],
  describe: (body) => ({ resource: { repository: line(body, 'repository', 'full_name') } }),
};

/** The organization around it; only there when one owns the repository or is itself the subject. */
export const organization: Part = {
  required: ['organization.login'],
  describe: (body) => ({ payload: { organization: line(body, 'organization', 'login') } }),
};

/** What the action is about, beside the thing itself: the label that was put on, the reviewer who was asked. */
export const details: Part = {
  required: [],
  describe: (body) => ({
    payload: {
      action: line(body, 'action'),
      changes: changesOf(body),
      label: line(body, 'label', 'name'),
      assignee: person(body, 'assignee'),
      requested_reviewer: person(body, 'requested_reviewer'),
      requested_team: line(body, 'requested_team', 'slug'),
    },
    keys: { installation_id: line(body, 'installation', 'id') },
  }),
};

/** Anything else with a name or a title: milestones, alerts, wiki pages, projects. */
export function thing(key: string): Part {
  return {
    required: [],
    describe: (body) => ({
      resource: { commit: line(body, key, 'head_sha') },
      payload: {
        title: titleOf(body, key),
        number: count(body, key, 'number'),
        state: line(body, key, 'state'),
        body: longText(body, key, 'body') ?? longText(body, key, 'description'),
        author: person(body, key, 'user') ?? person(body, key, 'creator'),
        subject: compact({ type: key, id: line(body, key, 'id') ?? line(body, key, 'ghsa_id') }),
      },
      evidence: links(key, textAt(body, key, 'html_url'), titleOf(body, key)),
    }),
  };
}

function titleOf(body: unknown, key: string): string | undefined {
  return line(body, key, 'title') ?? line(body, key, 'name') ?? line(body, key, 'summary');
}

/** The names of the fields an edit touched; what stood there before stays in the stored delivery. */
function changesOf(body: unknown): readonly string[] | undefined {
  const changes = at(body, 'changes');
  return isObject(changes) ? Object.keys(changes).slice(0, CHANGE_LIMIT) : undefined;
}

/** The numbers of pull requests a check or a run belongs to. GitHub lists those of forks too: they are left out. */
export function pullRequestsOf(body: unknown, key: string): readonly string[] {
  const here = line(body, 'repository', 'id');
  return listAt(body, key, 'pull_requests')
    .filter((pull) => (line(pull, 'base', 'repo', 'id') ?? here) === here)
    .map((pull) => line(pull, 'number'))
    .filter((number) => number !== undefined);
}
