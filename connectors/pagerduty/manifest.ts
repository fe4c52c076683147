import type { Manifest, SignalType, TriggerDefinition } from '../../src/connector/index.js';
import { rules } from './normalize/rules.js';

const DOCS = 'https://developer.pagerduty.com';

/** What a tenant's admin reads for each kind of signal. */
const titles: Partial<Record<SignalType, string>> = {
  incident_opened: 'Incident triggered or reopened',
  incident_acknowledged: 'Incident acknowledged',
  incident_resolved: 'Incident resolved',
  comment_added: 'Note on an incident',
  webhook_ping: 'Webhook test',
};

/** Derived from the rules, so that what is announced is what happens. */
const triggers: readonly TriggerDefinition[] = [
  ...Object.entries(titles).map(([type, title]) => ({
    signalType: type as SignalType,
    title,
    providerEvents: rules.filter((rule) => rule.type === type).flatMap(({ on }) => on),
    via: type === 'incident_opened' ? (['WEBHOOK', 'POLLING'] as const) : (['WEBHOOK'] as const),
  })),
  { signalType: 'provider_event', title: 'Any other event', providerEvents: ['*'], via: ['WEBHOOK'] },
];

/** PagerDuty: REST API v2 and webhooks v3. Facts: https://developer.pagerduty.com, read in August 2026. */
export const manifest: Manifest = {
  id: 'pagerduty',
  name: 'PagerDuty',
  description: 'Incidents: opened, acknowledged, resolved, and notes on them.',
  category: 'INCIDENT',
  stage: 'ALPHA',
  version: '0.1.0',
  // The version is a parameter of the media type.
  apiVersions: [{ version: '2', default: true, deprecated: false }],
  documentationUrl: `${DOCS}/api-reference`,
  baseUrl: 'https://api.pagerduty.com',
  headers: { accept: 'application/vnd.pagerduty+json;version=2', 'user-agent': 'Tributary' },

  authMethods: ['API_KEY', 'OAUTH2'],
  // Scoped OAuth: a confidential client, which has to prove both secret and PKCE. A code lives for 30 seconds. Refreshing
  // brings a new refresh token: it is taken as the only one that counts.
  oauth: {
    authorizationUrl: 'https://identity.pagerduty.com/oauth/authorize',
    tokenUrl: 'https://identity.pagerduty.com/oauth/token',
    scopes: [
      'incidents.read',
      'incidents.write',
      'services.read',
      'users.read',
      'webhook_subscriptions.read',
      'webhook_subscriptions.write',
    ],
    scopeSeparator: ' ',
    pkce: 'S256',
    clientAuthentication: 'post',
    tokenBody: 'form',
    refreshToken: { rotates: true, reuseSeconds: 0 },
    // Ten days, as in the documented answer, which does tell it.
    defaultExpiresInSeconds: 864_000,
  },
  credentialSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['apiKey'],
    properties: {
      apiKey: {
        type: 'string',
        minLength: 1,
        // A pasted line break would end the header.
        pattern: '^\\S+$',
        description:
          'A REST API key: of a user (My Profile → User Settings) or of the account (Integrations → API Access Keys).',
      },
    },
  },
  settingsSchema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      from: {
        type: 'string',
        maxLength: 255,
        pattern: '^[^\\s@]+@[^\\s@]+$',
        description:
          'The address of the PagerDuty user who opens and resolves incidents. Needed with a key of the account.',
      },
    },
  },
  scopes: [
    {
      scope: 'incidents.read',
      capabilities: ['POLLING', 'ACTIONS'],
      reason: 'To poll incidents, and to find one again whose opening was answered by nothing.',
    },
    { scope: 'incidents.write', capabilities: ['ACTIONS'], reason: 'To open and resolve incidents.' },
    {
      scope: 'services.read',
      capabilities: ['POLLING', 'ACTIONS', 'WEBHOOK'],
      reason: 'To tell which account a key of the account belongs to.',
    },
    {
      scope: 'users.read',
      capabilities: ['POLLING', 'ACTIONS', 'WEBHOOK'],
      reason: 'To tell whose credential it is.',
    },
    {
      scope: 'webhook_subscriptions.read',
      capabilities: ['WEBHOOK'],
      reason: 'To find a webhook again whose making was answered by nothing.',
    },
    {
      scope: 'webhook_subscriptions.write',
      capabilities: ['WEBHOOK'],
      reason: 'To set the webhook up by registerWebhook, and to take it away.',
    },
  ],

  rateLimits: [
    {
      bucket: 'rest',
      points: 960,
      durationSeconds: 60,
      headers: {
        remaining: 'ratelimit-remaining',
        // What is left of the window, and no moment in time.
        reset: { header: 'ratelimit-reset', unit: 'seconds' },
      },
      source: `${DOCS}/docs/rest-api-rate-limits`,
    },
  ],
  triggers,

  failures: {
    message: ['error', 'message'],
    rules: [
      // Not every 429 has the headers.
      { status: [429], category: 'RATE_LIMIT', code: 'rate_limit', waitSeconds: 60 },
      // By which status is not verified.
      { status: [400, 409], bodyContains: 'already exists', category: 'INVALID', code: 'incident_exists' },
      { status: [400], bodyContains: 'already resolved', category: 'INVALID', code: 'already_resolved' },
      { status: [402], category: 'INVALID', code: 'not_in_plan' },
      { status: [403], category: 'AUTH', code: 'forbidden' },
    ],
    resets: [{ header: 'ratelimit-reset', unit: 'seconds' }],
  },
  redact: [
    ['event', 'data', 'assignees', '*', 'email'],
    ['event', 'agent', 'email'],
  ],
};
