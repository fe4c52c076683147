import {
  type ActionContext,
  type JsonObject,
  invalid,
  listAt,
  textAt,
} from '../../../src/connector/index.js';
import { LOOK_UP } from '../documents.js';
import { query } from '../graphql.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** What people call things, by the ids that Linear takes. */
export interface Known {
  readonly teamId: string;
  readonly labelIds: readonly string[] | undefined;
  /** Null: nobody. Undefined: it was not asked for. */
  readonly assigneeId: string | null | undefined;
}

interface Named {
  readonly labels?: readonly string[] | undefined;
  readonly assignees?: readonly string[] | undefined;
}

/** Throws ProviderFailure for a team, a label or a person that Linear does not know. */
export async function lookUp(
  context: ActionContext,
  key: string,
  { labels, assignees }: Named,
): Promise<Known> {
  const person = requireOne(assignees);
  const asked = person !== undefined && !UUID.test(person) ? person : '';
  const data = await query(context, LOOK_UP, { key, labels: labels ?? [], person: asked });
  return {
    teamId: onlyId(data, 'teams', 'unknown_team', `Linear has no team with the key ${JSON.stringify(key)}.`),
    labelIds: labels?.map((name) => labelId(data, name)),
    assigneeId: assignees && (asked ? personId(data, asked) : (person ?? null)),
  };
}

/** An issue at Linear is one person's. */
function requireOne(assignees: readonly string[] | undefined): string | undefined {
  if (!assignees || assignees.length <= 1) return assignees?.[0];
  throw invalid('one_assignee', 'An issue at Linear has one assignee: name at most one.');
}

function labelId(data: JsonObject, name: string): string {
  const found = listAt(data, 'issueLabels', 'nodes').find((label) => textAt(label, 'name') === name);
  const id = textAt(found, 'id');
  if (id) return id;
  throw invalid('unknown_label', `Linear has no label ${JSON.stringify(name)} for this team.`);
}

function personId(data: JsonObject, person: string): string {
  const message = `Linear knows nobody by the e-mail address or display name ${JSON.stringify(person)}, or several.`;
  return onlyId(data, 'users', 'unknown_user', message);
}

/** The id of the one that was found. Of none or several none is meant. */
function onlyId(data: JsonObject, field: string, code: string, message: string): string {
  const nodes = listAt(data, field, 'nodes');
  const id = textAt(nodes[0], 'id');
  if (nodes.length === 1 && id) return id;
  throw invalid(code, message);
}
