import {
  type ActionContext,
  type ActionOutcome,
  type ActionSpec,
  ProviderFailure,
  type ProviderResponse,
  compact,
  invalid,
  textAt,
} from '../../../src/connector/index.js';
import { toAdf } from '../adf.js';
import { unexpectedAnswer } from '../answer.js';
import { type Site, sites } from '../site.js';
import { PROPERTY, isEarlier, isMarked, markOf } from './marked.js';

const PAGE_SIZE = 100;
const PAGE_LIMIT = 10;
/** What nearly every project has. */
const DEFAULT_TYPE = 'Task';

/** https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/#api-rest-api-3-issue-post */
export const createIssue: ActionSpec<'createIssue'> = {
  title: 'Create an issue',
  description:
    'Creates an issue in a project, of the type Task unless another is named. An assignee is named by account id, and there is one at most.',
  requiredScopes: ['write:jira-work'],
  idempotency: 'RECONCILED',
  outputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['key'],
    properties: { key: { type: 'string' }, url: { type: 'string' } },
  },

  async execute(context, { project, title, body, labels, assignees, issueType }) {
    const site = await sites.siteOf(context);
    const fields = compact({
      project: { key: project },
      issuetype: { name: issueType ?? DEFAULT_TYPE },
      summary: title,
      description: body === undefined ? undefined : toAdf(body),
      labels,
      assignee: assigneeOf(assignees),
    });
    const response = await site.request({
      method: 'POST',
      path: '/rest/api/3/issue',
      body: { fields, properties: markOf(context) },
    });
    return outcomeOf(response, response.body, site, true);
  },

  /** The newest first, back to before the action began. A search sees a new issue after some seconds only. */
  async reconcile(context, { project }) {
    const site = await sites.siteOf(context);
    let token: string | undefined;
    for (let page = 0; page < PAGE_LIMIT; page += 1) {
      const response = await searchOwn(site, project, token);
      const issues = issuesOf(response);
      const found = issues.find((issue) => isMarked(issue, context));
      if (found !== undefined) return outcomeOf(response, found, site, false);
      token = textAt(response.body, 'nextPageToken');
      if (!token || isOver(issues, context)) return null;
    }
    throw new ProviderFailure({
      category: 'UNKNOWN',
      code: 'search_limit',
      message: `More than ${PAGE_LIMIT * PAGE_SIZE} issues were made meanwhile: whether this one was can’t be told.`,
    });
  },
};

/** Jira knows one assignee. */
export function assigneeOf(assignees: readonly string[] | undefined) {
  if (assignees === undefined) return undefined;
  const [accountId, ...others] = assignees;
  if (others.length > 0)
    throw invalid('one_assignee', 'An issue of Jira has one assignee at most. Name one.');
  return accountId === undefined ? null : { accountId };
}

function searchOwn(site: Site, project: string, token: string | undefined): Promise<ProviderResponse> {
  return site.request({
    method: 'GET',
    path: '/rest/api/3/search/jql',
    query: {
      jql: `project = ${quoted(project)} AND creator = currentUser() ORDER BY created DESC`,
      fields: 'created',
      properties: PROPERTY,
      maxResults: PAGE_SIZE,
      nextPageToken: token,
    },
  });
}

/** Text within JQL, where a backslash begins an escape. */
function quoted(text: string): string {
  return `"${text.replaceAll(/[\\"]/g, String.raw`\$&`)}"`;
}

function issuesOf(response: ProviderResponse): readonly unknown[] {
  const { body } = response;
  const issues = typeof body === 'object' && body !== null && 'issues' in body ? body.issues : undefined;
  if (!Array.isArray(issues)) throw unexpectedAnswer(response, 'a list of issues', { isAmbiguous: false });
  return issues;
}

function isOver(issues: readonly unknown[], context: ActionContext): boolean {
  return isEarlier(textAt(issues.at(-1), 'fields', 'created'), context);
}

function outcomeOf(
  response: ProviderResponse,
  issue: unknown,
  { url: site }: Site,
  isAmbiguous: boolean,
): ActionOutcome {
  const [externalId, key] = [textAt(issue, 'id'), textAt(issue, 'key')];
  if (!externalId || !key) throw unexpectedAnswer(response, 'id and key of the issue', { isAmbiguous });
  const url = browseUrl(site, key);
  return { externalId, ...(url && { url }), output: compact({ key, url }) };
}

export function browseUrl(site: string | undefined, key: string): string | undefined {
  return site && `${site}/browse/${encodeURIComponent(key)}`;
}
