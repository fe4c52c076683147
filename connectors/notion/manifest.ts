import type { Manifest, SignalType, TriggerDefinition } from '../../src/connector/index.js';
import { rules } from './normalize.js';
import { CURRENT, NEXT } from './version.js';

const DOCS = 'https://developers.notion.com';
const LIMITS = `${DOCS}/reference/request-limits`;

/** What a tenant's admin reads for each kind of signal; the test holds it against the rules, both ways. */
const titles: Partial<Record<SignalType, string>> = {
  page_published: 'Page created',
  page_updated: 'Page edited, moved or restored',
  page_deleted: 'Page moved to the trash',
  comment_added: 'Comment on a page',
};

/** Edits only where the settings ask for them; README.md tells why. */
const polled: ReadonlySet<string> = new Set(['page_published', 'page_updated']);

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

/** Notion. Facts: https://developers.notion.com and npm `@notionhq/client` 5.26, read in November 2026. */
export const manifest: Manifest = {
  id: 'notion',
  name: 'Notion',
  description: 'Pages and comments that were shared with an integration of Notion, and pages of its own.',
  category: 'KNOWLEDGE',
  stage: 'BETA',
  version: '0.1.0',
  apiVersions: [
    { version: CURRENT, default: true, deprecated: false },
    { version: NEXT, default: false, deprecated: false },
  ],
  documentationUrl: `${DOCS}/reference`,
  baseUrl: 'https://api.notion.com/v1',
  // The version is sent with every request as well; a setting chooses it.
  headers: { accept: 'application/json', 'user-agent': 'Tributary' },

  authMethods: ['OAUTH2', 'BEARER'],
  // https://developers.notion.com/docs/authorization. Consent ends by a request of Notion's own.
  oauth: {
    authorizationUrl: 'https://api.notion.com/v1/oauth/authorize',
    authorizationParams: { owner: 'user' },
    tokenUrl: 'https://api.notion.com/v1/oauth/token',
    // What an integration may do is set at Notion, and people pick the pages.
    scopes: [],
    scopeSeparator: ' ',
    pkce: 'none',
    clientAuthentication: 'basic',
    tokenBody: 'json',
    // A refresh answers a new pair; whether the old one still works is not told.
    refreshToken: { rotates: true, reuseSeconds: 0 },
    // Nor is how long a token lives: one that is refused is renewed then.
    defaultExpiresInSeconds: null,
  },
  credentialSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['token'],
    properties: {
      token: {
        type: 'string',
        minLength: 1,
        // A pasted line break would end the header.
        pattern: '^\\S+$',
        description: 'The secret of an internal integration (ntn_…, older ones secret_…).',
      },
    },
  },
  settingsSchema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      apiVersion: { enum: [CURRENT, NEXT], description: `The version to speak. Left out: ${CURRENT}.` },
      poll: {
        enum: ['NEW_PAGES', 'NEW_AND_EDITED_PAGES'],
        description:
          'What to look for beside webhooks, or without them. Edits that webhooks tell as well come twice. Left out: nothing.',
      },
    },
  },
  scopes: [],

  // An average, of which bursts may go beyond; not verified.
  rateLimits: [{ bucket: 'api', points: 180, durationSeconds: 60, source: LIMITS }],
  triggers,

  failures: {
    message: ['message'],
    rules: [
      { status: [429], category: 'RATE_LIMIT', code: 'rate_limited', waitSeconds: 30 },
      // Turned away at the door: it was not begun.
      { status: [529], category: 'RATE_LIMIT', code: 'service_overload', waitSeconds: 30, isRefusal: true },
      { status: [401], category: 'AUTH', code: 'unauthorized' },
      { status: [403], category: 'AUTH', code: 'restricted_resource' },
      // Also what a page is that nobody has shared with the integration.
      { status: [404], category: 'NOT_FOUND', code: 'object_not_found' },
      { status: [409], category: 'INVALID', code: 'conflict_error' },
      {
        status: [400],
        bodyHas: { path: ['code'], value: 'validation_error' },
        category: 'INVALID',
        code: 'validation_error',
      },
      { status: [400], category: 'INVALID', code: 'invalid_request' },
    ],
    resets: [],
  },
};
