import {
  type Manifest,
  type SignalType,
  type TriggerDefinition,
  baseUrlSetting,
} from '../../src/connector/index.js';
import { rules } from './normalize/rules.js';

const DOCS = 'https://developer.atlassian.com/cloud/jira/platform';
const LIMITS = `${DOCS}/rate-limiting/`;

/** What a tenant's admin reads for each kind of signal; the test holds it against the rules, both ways. */
const titles: Partial<Record<SignalType, string>> = {
  issue_created: 'Issue created',
  issue_updated: 'Issue changed',
  issue_status_changed: 'Issue moved to another status',
  issue_assigned: 'Issue assigned',
  issue_commented: 'Comment on an issue',
  issue_closed: 'Issue resolved',
  issue_reopened: 'Resolution of an issue taken back',
  issue_deleted: 'Issue deleted',
  release_published: 'Version released',
  user_created: 'User added to the site',
};

/** What a search for issues shows as well. */
const notPolled: ReadonlySet<string> = new Set(['issue_deleted', 'release_published', 'user_created']);

/** Derived from the rules, so that what is announced is what happens. */
const triggers: readonly TriggerDefinition[] = [
  ...Object.entries(titles).map(([type, title]) => ({
    signalType: type as SignalType,
    title,
    providerEvents: [...new Set(rules.filter((rule) => rule.type === type).flatMap(({ on }) => on))],
    via: notPolled.has(type) ? (['WEBHOOK'] as const) : (['WEBHOOK', 'POLLING'] as const),
  })),
  { signalType: 'provider_event', title: 'Any other event', providerEvents: ['*'], via: ['WEBHOOK'] },
];

const line = { type: 'string', minLength: 1, maxLength: 1000, pattern: '^\\S+$' } as const;
const apiToken = {
  type: 'object',
  additionalProperties: false,
  required: ['email', 'apiToken'],
  properties: {
    // A colon would end the name that Basic sends.
    email: {
      ...line,
      pattern: '^[^\\s:]+$',
      description: 'The address of the account that made the API token.',
    },
    apiToken: { ...line, description: 'An API token of that account, from id.atlassian.com.' },
  },
} as const;

/** Wherever a body shows a person. */
const PEOPLE = [
  ['user'],
  ['issue', 'fields', 'assignee'],
  ['issue', 'fields', 'reporter'],
  ['issue', 'fields', 'creator'],
  ['issue', 'fields', 'comment', 'comments', '*', 'author'],
  ['issue', 'fields', 'comment', 'comments', '*', 'updateAuthor'],
  ['comment', 'author'],
  ['comment', 'updateAuthor'],
];

/** Jira Cloud. Facts: https://developer.atlassian.com/cloud/jira/platform/rest/v3/, read in November 2026. */
export const manifest: Manifest = {
  id: 'jira',
  name: 'Jira',
  description: 'Issues, comments and releases of a Jira Cloud site.',
  category: 'ISSUE_TRACKER',
  stage: 'ALPHA',
  version: '0.1.0',
  // In the path of every request. Version 2 takes text where 3 takes documents; both are served.
  apiVersions: [{ version: '3', default: true, deprecated: false }],
  documentationUrl: `${DOCS}/rest/v3/`,
  // The gateway, for tokens of OAuth. API tokens go to the site's own address, by the setting baseUrl.
  baseUrl: 'https://api.atlassian.com',
  selfManaged: { apiPath: '' },
  headers: { accept: 'application/json', 'user-agent': 'Tributary' },

  authMethods: ['OAUTH2', 'BASIC'],
  // https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/. It documents neither PKCE nor a way to revoke.
  oauth: {
    authorizationUrl: 'https://auth.atlassian.com/authorize',
    authorizationParams: { audience: 'api.atlassian.com', prompt: 'consent' },
    tokenUrl: 'https://auth.atlassian.com/oauth/token',
    // Without offline_access there is no refresh token.
    scopes: ['read:jira-user', 'read:jira-work', 'write:jira-work', 'manage:jira-webhook', 'offline_access'],
    scopeSeparator: ' ',
    pkce: 'none',
    clientAuthentication: 'post',
    tokenBody: 'json',
    refreshToken: { rotates: true, reuseSeconds: 600 },
    defaultExpiresInSeconds: 3600,
  },
  credentialSchema: apiToken,
  settingsSchema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      baseUrl: baseUrlSetting('Jira site'),
      cloudId: {
        type: 'string',
        pattern: '^[A-Za-z0-9-]{1,64}$',
        description:
          'Which site, where an OAuth grant is for several. Found out by verifying where there is one.',
      },
      siteUrl: {
        type: 'string',
        pattern: '^https://[a-z0-9.-]+$',
        maxLength: 255,
        description: 'The address of that site, for links. Found out by verifying.',
      },
      projects: {
        type: 'array',
        maxItems: 100,
        uniqueItems: true,
        items: { type: 'string', pattern: '^[A-Z][A-Z0-9_]{1,254}$' },
        description: 'Keys of the projects whose issues and comments are polled: "SHOP".',
      },
    },
  },
  scopes: [
    { scope: 'read:jira-user', capabilities: ['ACTIONS', 'POLLING'], reason: 'To know whose token it is.' },
    {
      scope: 'read:jira-work',
      capabilities: ['ACTIONS', 'POLLING'],
      reason:
        'To poll issues and comments, and to find out whether an action whose answer was lost was done.',
    },
    {
      scope: 'write:jira-work',
      capabilities: ['ACTIONS'],
      reason: 'To create and change issues and to comment on them.',
    },
    {
      scope: 'manage:jira-webhook',
      capabilities: ['WEBHOOK'],
      reason: 'To set up webhooks by registerWebhook, and to renew them before they end after 30 days.',
    },
    {
      scope: 'offline_access',
      capabilities: ['ACTIONS', 'POLLING'],
      reason: 'To renew the access token, which ends after an hour, without asking a person.',
    },
  ],

  // Atlassian gives no number for a connection that could be counted on: points are shared by all users of an app, and
  // bursts are counted for each address. What it answers is kept to. README.md tells what was found of the numbers.
  rateLimits: [
    {
      bucket: 'writes',
      points: 50,
      durationSeconds: 1,
      methods: ['PUT', 'DELETE'],
      source: LIMITS,
    },
    { bucket: 'calls', points: 100, durationSeconds: 1, source: LIMITS },
  ],
  triggers,

  failures: {
    message: ['errorMessages', '0'],
    fieldMessages: ['errors'],
    rules: [
      { status: [429], category: 'RATE_LIMIT', code: 'rate_limit', waitSeconds: 30 },
      // The gateway says this of a missing scope as well.
      { status: [401], bodyContains: 'scope does not match', category: 'AUTH', code: 'missing_scope' },
      { status: [401], category: 'AUTH', code: 'bad_credentials' },
      { status: [403], category: 'AUTH', code: 'forbidden' },
      // Also what an account that may not browse the project gets.
      { status: [404], category: 'NOT_FOUND', code: 'not_found' },
      { status: [409], category: 'INVALID', code: 'conflict' },
      { status: [400, 413, 422], category: 'INVALID', code: 'validation_failed' },
      { status: [410], category: 'NOT_FOUND', code: 'gone' },
    ],
    resets: [{ header: 'x-ratelimit-reset', unit: 'rfc3339' }],
  },
  redact: PEOPLE.map((path) => [...path, 'emailAddress']),
};
