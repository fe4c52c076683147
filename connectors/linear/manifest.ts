import type { Manifest, SignalType, TriggerDefinition } from '../../src/connector/index.js';
import { rules } from './normalize.js';

const DOCS = 'https://linear.app/developers';
const LIMITS = `${DOCS}/rate-limiting`;
const HOUR = 3600;

/** What a tenant's admin reads for each kind of signal; the test holds it against the rules, both ways. */
const titles: Partial<Record<SignalType, string>> = {
  issue_created: 'Issue created',
  issue_updated: 'Issue changed',
  issue_status_changed: 'Issue moved to another status',
  issue_assigned: 'Issue assigned',
  issue_commented: 'Comment on an issue',
  issue_deleted: 'Issue deleted',
  comment_added: 'Comment on a project, document or update',
  reaction_added: 'Reaction added',
  alarm_state_changed: 'Service level of an issue set, at risk or breached',
};

/** What queries show as well; README.md tells why not more. */
const polled: ReadonlySet<string> = new Set(['issue_created', 'issue_commented']);

/** Derived from the rules, so that what is announced is what happens. */
const triggers: readonly TriggerDefinition[] = [
  ...Object.entries(titles).map(([type, title]) => ({
    signalType: type as SignalType,
    title,
    providerEvents: [...new Set(rules.filter((rule) => rule.type === type).flatMap(({ on }) => on))],
    via: polled.has(type) ? (['WEBHOOK', 'POLLING'] as const) : (['WEBHOOK'] as const),
  })),
  { signalType: 'provider_event', title: 'Any other event', providerEvents: ['*'], via: ['WEBHOOK'] },
];

/** Linear. Facts: https://linear.app/developers and the schema of its API, read in November 2026. */
export const manifest: Manifest = {
  id: 'linear',
  name: 'Linear',
  description: 'Issues, comments, reactions and service levels of a Linear workspace.',
  category: 'ISSUE_TRACKER',
  stage: 'BETA',
  version: '0.1.0',
  // Linear has one schema that grows, and no way to ask for an older one: fields are deprecated before they go.
  apiVersions: [{ version: 'current', default: true, deprecated: false }],
  documentationUrl: `${DOCS}/graphql`,
  baseUrl: 'https://api.linear.app',
  headers: { accept: 'application/json', 'user-agent': 'Tributary' },

  authMethods: ['OAUTH2', 'API_KEY'],
  // https://linear.app/developers/oauth-2-0-authentication
  oauth: {
    authorizationUrl: 'https://linear.app/oauth/authorize',
    authorizationParams: { prompt: 'consent' },
    tokenUrl: 'https://api.linear.app/oauth/token',
    revocation: { style: 'rfc7009', url: 'https://api.linear.app/oauth/revoke' },
    scopes: ['read', 'write'],
    scopeSeparator: ',',
    pkce: 'S256',
    clientAuthentication: 'post',
    tokenBody: 'form',
    // An old one is said to be taken again for a while; how long could not be found out, so it never is.
    refreshToken: { rotates: true, reuseSeconds: 0 },
    defaultExpiresInSeconds: 86_400,
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
        description: 'A personal API key (lin_api_…).',
      },
    },
  },
  settingsSchema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      teams: {
        type: 'array',
        maxItems: 100,
        uniqueItems: true,
        items: { type: 'string', maxLength: 20, pattern: '^[A-Z][A-Z0-9_]*$' },
        description: 'Teams whose new issues and comments are polled, by their keys: "ENG".',
      },
    },
  },
  scopes: [
    {
      scope: 'read',
      capabilities: ['POLLING', 'WEBHOOK'],
      reason: 'To see whose workspace it is, and to poll.',
    },
    { scope: 'write', capabilities: ['ACTIONS'], reason: 'To create and change issues, and to comment.' },
    {
      scope: 'issues:create',
      capabilities: ['ACTIONS'],
      reason: 'Instead of write, when issues are only created.',
    },
    {
      scope: 'comments:create',
      capabilities: ['ACTIONS'],
      reason: 'Instead of write, when comments are only added.',
    },
  ],

  rateLimits: [
    {
      bucket: 'requests',
      // Of an API key; an OAuth app has 5,000. What the answers tell corrects it.
      points: 2500,
      durationSeconds: HOUR,
      headers: {
        remaining: 'x-ratelimit-requests-remaining',
        reset: { header: 'x-ratelimit-requests-reset', unit: 'epoch_milliseconds' },
      },
      source: LIMITS,
    },
    {
      bucket: 'complexity',
      // Of an OAuth app; an API key has 3,000,000.
      points: 2_000_000,
      durationSeconds: HOUR,
      // Our guess: a page of 100 issues costs about 3,000, a mutation a few. Here too the answers know better.
      costs: { POST: 500 },
      headers: {
        remaining: 'x-ratelimit-complexity-remaining',
        reset: { header: 'x-ratelimit-complexity-reset', unit: 'epoch_milliseconds' },
      },
      source: LIMITS,
    },
  ],
  triggers,

  failures: {
    message: ['errors', '0', 'message'],
    rules: [
      // Documented as 400. In an answer of 200 only the error's own code tells it from somebody's text.
      {
        status: [400, 429],
        bodyContains: 'RATELIMITED',
        category: 'RATE_LIMIT',
        code: 'ratelimited',
        waitSeconds: 60,
      },
      {
        status: [200],
        bodyContains: '"code":"RATELIMITED"',
        category: 'RATE_LIMIT',
        code: 'ratelimited',
        waitSeconds: 60,
      },
      { status: [429], category: 'RATE_LIMIT', code: 'ratelimited', waitSeconds: 60 },
      // Bad keys are told by 400 or 401.
      {
        status: [400, 401],
        bodyContains: 'AUTHENTICATION_ERROR',
        category: 'AUTH',
        code: 'authentication_error',
      },
      { status: [401], category: 'AUTH', code: 'unauthorized' },
      { status: [403], category: 'AUTH', code: 'forbidden' },
      { status: [404], category: 'NOT_FOUND', code: 'not_found' },
      { status: [400], bodyContains: 'Entity not found', category: 'NOT_FOUND', code: 'not_found' },
      { status: [400, 409, 422], category: 'INVALID', code: 'invalid_input' },
    ],
    resets: [
      { header: 'x-ratelimit-requests-reset', unit: 'epoch_milliseconds' },
      { header: 'x-ratelimit-complexity-reset', unit: 'epoch_milliseconds' },
      { header: 'x-ratelimit-endpoint-requests-reset', unit: 'epoch_milliseconds' },
    ],
  },
  redact: [
    ['actor', 'email'],
    ['data', 'email'],
    ['data', 'user', 'email'],
    ['data', 'assignee', 'email'],
    ['data', 'creator', 'email'],
    ['data', 'botActor', 'email'],
    ['issueData', 'assignee', 'email'],
  ],
};
