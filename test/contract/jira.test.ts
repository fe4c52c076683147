import { jira } from '../../connectors/jira/index.js';
import { registration } from '../../connectors/jira/registration.js';
import type { ProviderContext, ProviderRequest } from '../../src/connector/index.js';
import { Secret } from '../../src/core/secret.js';
import { subject } from '../conformance/subjects/jira.js';
import type { FakeProvider } from '../support/fake-provider.js';
import { describeContract } from './describe.js';

const WEBHOOKS =
  'https://developer.atlassian.com/cloud/jira/platform/webhooks/#registering-a-webhook-using-the-rest-api--other-integrations-';

/** What an OAuth app registers by itself, behind the gateway: the suite speaks to the site. */
async function registerByOAuth({ url: base }: FakeProvider): Promise<void> {
  const context: ProviderContext = { settings: {}, request: (request) => send(base, request) };
  const wanted = {
    url: 'https://tributary.example/own',
    appUrl: 'https://tributary.example/app',
    secret: new Secret('secret'),
    target: { jql: 'project = SHOP' },
    events: ['jira:issue_created', 'comment_created'],
  };
  const made = await registration.register(context, wanted);
  const fewer = await registration.register(context, { ...wanted, events: ['comment_created'] });
  await registration.renew?.(context, fewer, wanted);
  await registration.unregister(context, made);
}

async function send(base: string, { method, path, params = {}, query = {}, body }: ProviderRequest) {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(params[name]));
  const search = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
  const answer = await fetch(`${base}${filled}?${search.toString()}`, {
    method,
    headers: { authorization: 'Bearer access_token_of_the_fake', 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: {},
    body: text === '' ? undefined : (JSON.parse(text) as unknown),
  };
}

describeContract({
  connector: jira,
  description: 'jira/jira-platform-v3.2024-07.json.gz',
  subject,
  base: (path) => path.replace(/^\/ex\/jira\/[^/]+/, ''),
  drive: registerByOAuth,
  // Of July 2024.
  isDated: true,
  excused: {
    'GET /rest/api/3/webhook answer 200: /values/*/url is not described':
      'Newer than the description: https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-webhooks/, as jira.js 5 has it.',
  },
  elsewhere: {
    'GET /oauth/token/accessible-resources':
      'https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/#3-1--get-the-cloudid-for-your-site',
    'GET /rest/api/3/search/jql':
      'https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/#api-rest-api-3-search-jql-get',
    'GET /rest/webhooks/1.0/webhook': WEBHOOKS,
    'POST /rest/webhooks/1.0/webhook': WEBHOOKS,
    'PUT /rest/webhooks/1.0/webhook/{id}': WEBHOOKS,
    'DELETE /rest/webhooks/1.0/webhook/{id}': WEBHOOKS,
  },
});
