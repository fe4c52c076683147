import { type Manifest, baseUrlSetting } from '../../src/connector/index.js';

const DOCS = 'https://developer.atlassian.com/cloud/confluence';
const LIMITS = `${DOCS}/rate-limiting/`;

const line = { type: 'string', minLength: 1, maxLength: 1000, pattern: '^\\S+$' } as const;

/** Confluence Cloud. Facts: https://developer.atlassian.com/cloud/confluence/rest/v2/, read in November 2026. */
export const manifest: Manifest = {
  id: 'confluence',
  name: 'Confluence',
  description: 'Pages and comments of a Confluence Cloud site.',
  category: 'KNOWLEDGE',
  stage: 'ALPHA',
  version: '0.1.0',
  // In the path of every request.
  apiVersions: [{ version: 'v2', default: true, deprecated: false }],
  documentationUrl: `${DOCS}/rest/v2/`,
  // The gateway, for tokens of OAuth. API tokens go to the site's own address, by the setting baseUrl.
  baseUrl: 'https://api.atlassian.com',
  selfManaged: { apiPath: '' },
  headers: { accept: 'application/json', 'user-agent': 'Tributary' },

  authMethods: ['OAUTH2', 'BASIC'],
  // https://developer.atlassian.com/cloud/confluence/oauth-2-3lo-apps/. It documents neither PKCE nor a way to revoke.
  oauth: {
    authorizationUrl: 'https://auth.atlassian.com/authorize',
    authorizationParams: { audience: 'api.atlassian.com', prompt: 'consent' },
    tokenUrl: 'https://auth.atlassian.com/oauth/token',
    // Without offline_access there is no refresh token.
    scopes: [
      'read:confluence-user',
      'read:page:confluence',
      'read:space:confluence',
      'read:comment:confluence',
      'write:page:confluence',
      'write:comment:confluence',
      'offline_access',
    ],
    scopeSeparator: ' ',
    pkce: 'none',
    clientAuthentication: 'post',
    tokenBody: 'json',
    refreshToken: { rotates: true, reuseSeconds: 600 },
    defaultExpiresInSeconds: 3600,
  },
  credentialSchema: {
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
  },
  settingsSchema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      baseUrl: baseUrlSetting('Confluence site, without “/wiki”,'),
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
      spaces: {
        type: 'array',
        maxItems: 100,
        uniqueItems: true,
        items: { type: 'string', maxLength: 255, pattern: '^~?[A-Za-z0-9._-]+$' },
        description: 'Keys of the spaces whose pages are polled: "DOCS".',
      },
      comments: {
        type: 'boolean',
        description: 'Whether comments below pages, of the whole site, are polled.',
      },
    },
  },
  scopes: [
    {
      scope: 'read:confluence-user',
      capabilities: ['ACTIONS', 'POLLING'],
      reason: 'To know whose token it is.',
    },
    {
      scope: 'read:page:confluence',
      capabilities: ['ACTIONS', 'POLLING'],
      reason: 'To poll pages, to know the version before a change, and to find what became of an action.',
    },
    {
      scope: 'read:space:confluence',
      capabilities: ['ACTIONS', 'POLLING'],
      reason: 'To find a space by its key.',
    },
    { scope: 'read:comment:confluence', capabilities: ['POLLING'], reason: 'To poll comments.' },
    { scope: 'write:page:confluence', capabilities: ['ACTIONS'], reason: 'To create and change pages.' },
    { scope: 'write:comment:confluence', capabilities: ['ACTIONS'], reason: 'To comment on pages.' },
    {
      scope: 'offline_access',
      capabilities: ['ACTIONS', 'POLLING'],
      reason: 'To renew the access token, which ends after an hour, without asking a person.',
    },
  ],

  // As with Jira there is no number that could be counted on; what Atlassian answers is kept to.
  rateLimits: [{ bucket: 'calls', points: 100, durationSeconds: 1, source: LIMITS }],
  triggers: [
    {
      signalType: 'page_published',
      title: 'Page published',
      providerEvents: ['page_created'],
      via: ['POLLING'],
    },
    { signalType: 'page_updated', title: 'Page changed', providerEvents: ['page_updated'], via: ['POLLING'] },
    {
      signalType: 'comment_added',
      title: 'Comment below a page',
      providerEvents: ['comment_created'],
      via: ['POLLING'],
    },
  ],

  failures: {
    message: ['errors', '0', 'title'],
    rules: [
      { status: [429], category: 'RATE_LIMIT', code: 'rate_limit', waitSeconds: 30 },
      // The gateway says this of a missing scope as well.
      { status: [401], bodyContains: 'scope does not match', category: 'AUTH', code: 'missing_scope' },
      { status: [401], category: 'AUTH', code: 'bad_credentials' },
      { status: [403], category: 'AUTH', code: 'forbidden' },
      // Also what an account that may not see the space gets.
      { status: [404], category: 'NOT_FOUND', code: 'not_found' },
      // Somebody has changed the page since its version was read.
      { status: [409], category: 'INVALID', code: 'version_conflict' },
      // Its title is unique within its space.
      { status: [400], bodyContains: 'same title', category: 'INVALID', code: 'title_exists' },
      { status: [400, 413, 422], category: 'INVALID', code: 'validation_failed' },
      { status: [410], category: 'NOT_FOUND', code: 'gone' },
    ],
    resets: [{ header: 'x-ratelimit-reset', unit: 'rfc3339' }],
  },
};
