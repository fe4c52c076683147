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

  authMethods: ['BEARER'],
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
  ],

  // What the provider allows one token. We ask these windows first, so that it rarely has to say no.
  rateLimits: [
    { bucket: 'api', points: 300, durationSeconds: 60, source: 'https://example.com/docs/api/limits' },
  ],
  triggers: [
    {
      signalType: 'issue_created',
      title: 'Issue created',
      providerEvents: ['issue.created'],
      via: ['WEBHOOK'],
    },
    { signalType: 'issue_closed', title: 'Issue closed', providerEvents: ['issue.closed'], via: ['WEBHOOK'] },
    {
      signalType: 'issue_commented',
      title: 'Comment on an issue',
      providerEvents: ['comment.created'],
      via: ['WEBHOOK'],
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
