import {
  type JsonObject,
  type Part,
  at,
  compact,
  count,
  each,
  isObject,
  keyHints,
  line,
  links,
  longText,
  textAt,
} from '../../../src/connector/index.js';

const CHANGE_LIMIT = 50;

/** A person as `{ id, login }`; Linear's people have a name and no login. */
function person(value: unknown, ...path: readonly string[]): JsonObject | undefined {
  const id = line(value, ...path, 'id');
  const login = line(value, ...path, 'name');
  return id || login ? compact({ id, login }) : undefined;
}

/** Who did it, in which workspace, and what of the thing was changed. Before 2023 nobody was named. */
export const around: Part = {
  required: ['createdAt'],
  describe: (body) => ({
    payload: {
      action: line(body, 'action'),
      actor: person(body, 'actor'),
      changes: changesOf(body),
    },
    keys: { user_id: line(body, 'actor', 'id'), organization_id: line(body, 'organizationId') },
  }),
};

function changesOf(body: unknown): readonly string[] | undefined {
  const before = at(body, 'updatedFrom');
  if (!isObject(before)) return undefined;
  const names = Object.keys(before).map((name) => line(name));
  return names.filter((name) => name !== undefined).slice(0, CHANGE_LIMIT);
}

/** `ENG-12`: its own field since 2022, before that team and number. */
export function identifierOf(issue: unknown): string | undefined {
  const told = line(issue, 'identifier');
  const [team, number] = [line(issue, 'team', 'key'), line(issue, 'number')];
  return told ?? (team && number ? `${team}-${number}` : undefined);
}

/** Of addresses such as `https://linear.app/acme/issue/ENG-12/title#comment-1`. */
function identifierIn(url: string | undefined): string | undefined {
  return /\/issue\/([A-Z][A-Z0-9_]{0,19}-\d{1,10})(?:[/#?]|$)/.exec(url ?? '')?.[1];
}

/** The same key that people write into branches and titles elsewhere. */
const issueHints = (key: string | undefined) =>
  key ? [{ type: 'resource_id', value: key, confidence: 1 } as const] : [];

/** https://linear.app/developers/webhooks#data-change-events-payload */
export const issue: Part = {
  required: ['id', 'title', 'number', 'state', 'team'].map((field) => `data.${field}`),
  describe: (body) => {
    const found = at(body, 'data');
    const key = identifierOf(found);
    const title = line(found, 'title');
    return {
      payload: { ...issueFields(found), issue_id: line(found, 'id') },
      keys: { issue_key: key },
      evidence: links('issue', textAt(body, 'url') ?? textAt(found, 'url'), title),
      hints: [...issueHints(key), ...keyHints(title)],
    };
  },
};

function issueFields(found: unknown) {
  return {
    title: line(found, 'title'),
    number: count(found, 'number'),
    state: line(found, 'state', 'name'),
    state_type: line(found, 'state', 'type'),
    priority: count(found, 'priority'),
    team: line(found, 'team', 'key'),
    body: longText(found, 'description'),
    labels: each(found, ['labels'], 'name'),
    assignee: person(found, 'assignee'),
    due_date: line(found, 'dueDate'),
  };
}

/** A comment on anything. Its issue is told by id and title, and by its address. */
export const comment: Part = {
  required: ['data.id', 'data.body'],
  describe: (body) => {
    const url = textAt(body, 'url') ?? textAt(body, 'data', 'url');
    const key = line(body, 'data', 'issue', 'identifier') ?? identifierIn(url);
    return {
      payload: {
        comment_id: line(body, 'data', 'id'),
        title: line(body, 'data', 'issue', 'title'),
        body: longText(body, 'data', 'body'),
        author: person(body, 'data', 'user') ?? person(body, 'actor'),
        in_reply_to: line(body, 'data', 'parentId'),
      },
      keys: { issue_key: key },
      evidence: links('comment', url),
      hints: issueHints(key),
    };
  },
};

export const reaction: Part = {
  required: ['data.id', 'data.emoji'],
  describe: (body) => {
    const url = textAt(body, 'url');
    const key = line(body, 'data', 'issue', 'identifier') ?? identifierIn(url);
    return {
      payload: {
        reaction: line(body, 'data', 'emoji'),
        comment_id: line(body, 'data', 'commentId') ?? line(body, 'data', 'comment', 'id'),
        author: person(body, 'data', 'user'),
      },
      keys: { issue_key: key },
      evidence: links('reaction', url),
      hints: issueHints(key),
    };
  },
};

/** The issue whose service level it is. */
export const serviceLevel: Part = {
  required: ['action'],
  describe: (body) => {
    const found = at(body, 'issueData') ?? at(body, 'data');
    const key = identifierOf(found);
    return {
      payload: { ...issueFields(found), alarm: 'issue_sla', alarm_state: line(body, 'action') },
      keys: { issue_key: key },
      evidence: links('issue', textAt(body, 'url') ?? textAt(found, 'url'), line(found, 'title')),
      hints: issueHints(key),
    };
  },
};

/** Anything else with a name or a title: projects, cycles, labels, documents. */
export const thing: Part = {
  required: [],
  describe: (body) => {
    const found = at(body, 'data');
    const title = line(found, 'title') ?? line(found, 'name');
    return {
      payload: {
        title,
        state: line(found, 'state') ?? line(found, 'status', 'name'),
        body: longText(found, 'description') ?? longText(found, 'body'),
        subject: compact({ type: line(body, 'type'), id: line(found, 'id') }),
      },
      evidence: links('record', textAt(body, 'url') ?? textAt(found, 'url'), title),
    };
  },
};
