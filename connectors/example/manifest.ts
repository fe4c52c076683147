import type { Manifest } from '../../src/connector/index.js';

/**
 * Everything about the provider that is data. It is published through GraphQL as it stands: write it for the
 * tenant's admin who decides whether to connect.
 */
export const manifest: Manifest = {
  // Equal to the folder's name; also the provider's place in webhook URLs. It can't change later.
  id: 'example',
  name: 'Example',
  description: 'An invented issue tracker: the template for new connectors.',
  category: 'ISSUE_TRACKER',
  stage: 'ALPHA',
  version: '0.1.0',
  apiVersions: [{ version: '2026-01-01', default: true, deprecated: false }],
  documentationUrl: 'https://example.com/docs/api',
  baseUrl: 'https://api.example.com',
  // Sent with every request. Pin the version, or the provider changes answers under our feet.
  headers: {
    accept: 'application/json',
    'example-version': '2026-01-01',
    'user-agent': 'Tributary',
  },

  authMethods: ['BEARER', 'OAUTH2', 'OAUTH2_CLIENT_CREDENTIALS', 'SERVICE_ACCOUNT'],
  // How it speaks OAuth, for the methods that begin with OAUTH2, and for SERVICE_ACCOUNT
  // where auth.ts has no `issue`. Leave it out where there is none. Mind refreshToken: a
  // provider that rotates and allows no reuse kills the grant when an old refresh token comes again.
  oauth: {
    authorizationUrl: 'https://auth.example.com/auth',
    tokenUrl: 'https://auth.example.com/token',
    revocation: { style: 'rfc7009', url: 'https://auth.example.com/token/revocation' },
    scopes: ['openid', 'read'],
    scopeSeparator: ' ',
    pkce: 'S256',
    clientAuthentication: 'basic',
    tokenBody: 'form',
    refreshToken: { rotates: true, reuseSeconds: 0 },
    defaultExpiresInSeconds: null,
  },
  // Each property becomes a Secret that only auth.ts gets to see.
  credentialSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['token'],
    properties: { token: { type: 'string', minLength: 1, description: 'Settings → API → New token.' } },
  },
  settingsSchema: { type: 'object', additionalProperties: false, properties: {} },
  // Ask for the least that works; the reason is what the admin reads before granting it.
  scopes: [
    {
      scope: 'issues:write',
      capabilities: ['ACTIONS'],
      reason: 'To create issues and comments, and to look for them again when an answer was lost.',
    },
    {
      scope: 'events:read',
      capabilities: ['POLLING'],
      reason: 'To read the log of events, for what no webhook brings.',
    },
    {
      scope: 'webhooks:write',
      capabilities: ['WEBHOOK'],
      reason: 'To set up webhooks by registerWebhook; not needed for those set up by hand.',
    },
  ],

  // What the provider allows one token. We ask these windows first, so that it rarely has to say no.
  rateLimits: [
    {
      bucket: 'api',
      points: 300,
      durationSeconds: 60,
      // Every answer tells how this window stands; where ours differs, theirs is right.
      headers: {
        remaining: 'example-limit-remaining',
        reset: { header: 'example-limit-reset', unit: 'epoch_seconds' },
      },
      source: 'https://example.com/docs/api/limits',
    },
    // What counts only some calls names them; a call that is dearer than others says so by `costs`.
    {
      bucket: 'writes',
      points: 60,
      durationSeconds: 60,
      methods: ['POST', 'PUT', 'PATCH', 'DELETE'],
      source: 'https://example.com/docs/api/limits',
    },
  ],
  triggers: [
    {
      signalType: 'issue_created',
      title: 'Issue created',
      providerEvents: ['issue.created'],
      via: ['WEBHOOK', 'POLLING'],
    },
    {
      signalType: 'issue_closed',
      title: 'Issue closed',
      providerEvents: ['issue.closed'],
      via: ['WEBHOOK', 'POLLING'],
    },
    {
      signalType: 'issue_commented',
      title: 'Comment on an issue',
      providerEvents: ['comment.created'],
      via: ['WEBHOOK', 'POLLING'],
    },
    { signalType: 'webhook_ping', title: 'Webhook test', providerEvents: ['ping'], via: ['WEBHOOK'] },
  ],
  // How it speaks of failure, as far as the HTTP status does not tell. The core does the rest.
  failures: {
    message: ['error', 'message'],
    rules: [
      // Says 403 where others say 429: without this rule a busy hour would look like a revoked token.
      {
        status: [403],
        bodyContains: 'quota_exceeded',
        category: 'RATE_LIMIT',
        code: 'quota_exceeded',
        waitSeconds: 60,
      },
    ],
    resets: [{ header: 'example-limit-reset', unit: 'epoch_seconds' }],
  },
};
