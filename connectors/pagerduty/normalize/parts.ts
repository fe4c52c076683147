import {
  type JsonObject,
  type Part,
  at,
  compact,
  count,
  each,
  keyHints,
  line,
  links,
  longText,
  textAt,
} from '../../../src/connector/index.js';

/** PagerDuty names a thing by a reference: `{ id, summary, html_url, type }`. */
function reference(value: unknown, ...path: readonly string[]): JsonObject | undefined {
  const [id, name] = [line(value, ...path, 'id'), line(value, ...path, 'summary')];
  return id || name ? compact({ id, name }) : undefined;
}

/** Who did it: a person, a service that acted by itself, or nobody (automation). */
export const agent: Part = {
  required: ['event.agent'],
  describe: (body) => ({
    payload: { actor: reference(body, 'event', 'agent') },
    keys: { user_id: isPerson(body) ? line(body, 'event', 'agent', 'id') : undefined },
  }),
};

function isPerson(body: unknown): boolean {
  return textAt(body, 'event', 'agent', 'type')?.startsWith('user') ?? false;
}

/** What an event about an incident tells of it. */
export const incident: Part = {
  required: ['id', 'number', 'title', 'status', 'urgency', 'html_url', 'service', 'created_at'].map(
    (field) => `event.data.${field}`,
  ),
  describe: (body) => {
    const found = at(body, 'event', 'data');
    const title = line(found, 'title');
    return {
      resource: { service: line(found, 'service', 'summary') },
      payload: incidentFields(found),
      keys: keysOf(found, line(found, 'id')),
      evidence: links('incident', textAt(found, 'html_url'), title),
      hints: [...keyHints(title), ...incidentHint(line(found, 'id'))],
    };
  },
};

function incidentFields(found: unknown): JsonObject {
  return compact({
    title: line(found, 'title'),
    incident_id: line(found, 'id'),
    number: count(found, 'number'),
    status: line(found, 'status'),
    urgency: line(found, 'urgency'),
    priority: line(found, 'priority', 'summary'),
    service: reference(found, 'service'),
    escalation_policy: reference(found, 'escalation_policy'),
    assignees: each(found, ['assignees'], 'summary'),
    teams: each(found, ['teams'], 'summary'),
  });
}

/** The key under which an alarm elsewhere opened it is the same there. */
const keysOf = (found: unknown, id: string | undefined) => ({
  incident_id: id,
  issue_key: id,
  dedup_key: line(found, 'incident_key'),
});

const incidentHint = (id: string | undefined) =>
  id === undefined ? [] : [{ type: 'resource_id' as const, value: `pagerduty:${id}`, confidence: 1 }];

/** A note, or an update for stakeholders, on an incident that it names by reference. */
export const remark: Part = {
  required: ['event.data.id', 'event.data.incident.id'],
  describe: (body) => {
    const found = at(body, 'event', 'data');
    const id = line(found, 'incident', 'id');
    return {
      payload: {
        title: line(found, 'incident', 'summary'),
        incident_id: id,
        comment_id: line(found, 'id'),
        body: longText(found, 'content') ?? longText(found, 'message'),
      },
      keys: keysOf({}, id),
      evidence: links('incident', textAt(found, 'incident', 'html_url'), line(found, 'incident', 'summary')),
      hints: incidentHint(id),
    };
  },
};

/** Whatever else: a service that was changed, a responder who was asked. */
export const thing: Part = {
  required: [],
  describe: (body) => {
    const found = at(body, 'event', 'data');
    const title = line(found, 'summary') ?? line(found, 'title') ?? line(found, 'name');
    return {
      payload: {
        title,
        subject: compact({ type: line(body, 'event', 'resource_type'), id: line(found, 'id') }),
      },
      evidence: links(line(body, 'event', 'resource_type') ?? 'record', textAt(found, 'html_url'), title),
    };
  },
};
