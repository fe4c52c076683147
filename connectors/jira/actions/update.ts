import {
  type ActionSpec,
  type VerbInput,
  at,
  compact,
  invalid,
  textAt,
} from '../../../src/connector/index.js';
import { toAdf } from '../adf.js';
import { unexpectedAnswer } from '../answer.js';
import { type Site, sites } from '../site.js';
import { assigneeOf, browseUrl } from './create.js';

const ISSUE = '/rest/api/3/issue/{issue}';
const NO_CONTENT = 204;

/**
 * What is set is what it shall be, so setting it twice changes nothing; and an issue that is in the wanted status is not
 * moved. https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/#api-rest-api-3-issue-issueidorkey-put
 */
export const updateIssue: ActionSpec<'updateIssue'> = {
  title: 'Change an issue',
  description:
    'Sets title, text, labels and assignee of an issue, and moves it to another status by one of the transitions that its workflow has there.',
  requiredScopes: ['write:jira-work'],
  idempotency: 'NATIVE',
  outputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['key'],
    properties: { key: { type: 'string' }, url: { type: 'string' } },
  },

  async execute(context, input) {
    const site = await sites.siteOf(context);
    const params = { issue: input.issue };
    const { status } = input;
    const found = await site.request({ method: 'GET', path: ISSUE, params, query: { fields: 'status' } });
    const [externalId, key] = [textAt(found.body, 'id'), textAt(found.body, 'key')];
    if (!externalId || !key) throw unexpectedAnswer(found, 'id and key of the issue', { isAmbiguous: false });
    const isThere = status === undefined || isSame(textAt(found.body, 'fields', 'status', 'name'), status);
    // Looked for before anything is changed: what can't be done altogether is not done by half.
    const transition = isThere ? undefined : await transitionTo(site, params, status);
    await setFields(site, params, input);
    if (transition) await move(site, params, transition);
    const url = browseUrl(site.url, key);
    return { externalId, ...(url && { url }), output: compact({ key, url }) };
  },
};

interface Params {
  readonly [name: string]: string;
}

async function setFields(
  site: Site,
  params: Params,
  { title, body, labels, assignees }: VerbInput<'updateIssue'>,
): Promise<void> {
  const fields = compact({
    summary: title,
    description: body === undefined ? undefined : toAdf(body),
    labels,
    assignee: assigneeOf(assignees),
  });
  if (Object.keys(fields).length === 0) return;
  const query = { returnIssue: 'true' };
  const response = await site.request({ method: 'PUT', path: ISSUE, params, query, body: { fields } });
  if (!textAt(response.body, 'id')) throw unexpectedAnswer(response, 'the issue', { isAmbiguous: true });
}

/** A transition is answered with no content, and with nothing else. */
async function move(site: Site, params: Params, id: string): Promise<void> {
  const body = { transition: { id } };
  const response = await site.request({ method: 'POST', path: `${ISSUE}/transitions`, params, body });
  if (response.status !== NO_CONTENT)
    throw unexpectedAnswer(response, 'its word that it was done', { isAmbiguous: true });
}

/** The id of the transition by which the issue gets there; a workflow may have none. */
async function transitionTo(site: Site, params: Params, status: string): Promise<string> {
  const response = await site.request({ method: 'GET', path: `${ISSUE}/transitions`, params });
  const all = at(response.body, 'transitions');
  if (!Array.isArray(all)) throw unexpectedAnswer(response, 'a list of transitions', { isAmbiguous: false });
  const found: unknown = all.find((transition) => isSame(textAt(transition, 'to', 'name'), status));
  const id = textAt(found, 'id');
  if (id) return id;
  const names = all
    .map((transition) => textAt(transition, 'to', 'name'))
    .filter((name) => name !== undefined);
  throw invalid(
    'no_transition',
    `No transition leads from where this issue is to “${status}”. There are some to: ${names.join(', ') || 'nowhere'}.`,
  );
}

function isSame(name: string | undefined, wanted: string): boolean {
  return name?.toLowerCase() === wanted.toLowerCase();
}
