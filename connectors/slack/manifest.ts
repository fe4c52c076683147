import type { Manifest, SignalType, TriggerDefinition } from '../../src/connector/index.js';
import { failures } from './failures.js';
import { rules } from './normalize/rules.js';

const DOCS = 'https://docs.slack.dev';
const LIMITS = `${DOCS}/apis/web-api/rate-limits`;

/** What a tenant's admin reads for each kind of signal; the test holds it against the rules, both ways. */
const titles: Partial<Record<SignalType, string>> = {
  chat_message: 'Message written by a person',
  chat_message_edited: 'Message edited',
  chat_mention: 'The app was mentioned',
  reaction_added: 'Reaction added to a message or file',
  channel_created: 'Channel created',
  user_created: 'Somebody joined the workspace',
  user_updated: 'Account or profile changed',
  user_deactivated: 'Account deactivated',
  group_membership_changed: 'Members of a user group changed',
  app_uninstalled: 'App uninstalled',
};

/** Derived from the rules, so that what is announced is what happens. */
const triggers: readonly TriggerDefinition[] = [
  ...Object.entries(titles).map(([type, title]) => ({
    signalType: type as SignalType,
    title,
    providerEvents: [...new Set(rules.filter((rule) => rule.type === type).flatMap(({ on }) => on))],
    via: ['WEBHOOK'] as const,
  })),
  {
    signalType: 'provider_event',
    title: 'Any other event, interactivity and slash commands',
    providerEvents: ['*'],
    via: ['WEBHOOK'],
  },
];

/** Slack. Facts: https://docs.slack.dev, read in November 2026. */
export const manifest: Manifest = {
  id: 'slack',
  name: 'Slack',
  description:
    'Messages, mentions, reactions, channels and people of a Slack workspace, and messages of an app’s own.',
  category: 'CHAT',
  stage: 'BETA',
  version: '0.1.0',
  // Slack has no versions: methods change by announcement, https://docs.slack.dev/changelog.
  apiVersions: [{ version: 'current', default: true, deprecated: false }],
  documentationUrl: DOCS,
  baseUrl: 'https://slack.com/api',
  headers: { accept: 'application/json', 'user-agent': 'Tributary' },

  authMethods: ['OAUTH2', 'BEARER'],
  // https://docs.slack.dev/authentication/installing-with-oauth. The bot's token stands at the top of the answer.
  oauth: {
    authorizationUrl: 'https://slack.com/oauth/v2/authorize',
    tokenUrl: 'https://slack.com/api/oauth.v2.access',
    scopes: ['chat:write', 'reactions:write', 'channels:history', 'app_mentions:read', 'reactions:read'],
    scopeSeparator: ',',
    // Switching PKCE on can't be undone for an app, and makes it a public client.
    pkce: 'none',
    clientAuthentication: 'post',
    tokenBody: 'form',
    // https://docs.slack.dev/authentication/using-token-rotation: twelve hours, and each refresh token is good for one use.
    refreshToken: { rotates: true, reuseSeconds: 0 },
    // Without rotation, which an app has to switch on, tokens stay good until somebody takes them back.
    defaultExpiresInSeconds: null,
    // https://docs.slack.dev/reference/methods/oauth.v2.access
    errorCodes: {
      invalid_code: 'invalid_grant',
      code_already_used: 'invalid_grant',
      invalid_refresh_token: 'invalid_grant',
      token_revoked: 'invalid_grant',
      invalid_client_id: 'invalid_client',
      bad_client_secret: 'invalid_client',
      bad_redirect_uri: 'invalid_request',
      oauth_authorization_url_mismatch: 'invalid_request',
      invalid_grant_type: 'unsupported_grant_type',
      internal_error: 'server_error',
      fatal_error: 'server_error',
      service_unavailable: 'temporarily_unavailable',
      ratelimited: 'temporarily_unavailable',
    },
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
        description: 'The Bot User OAuth Token of your app (xoxb-…), from OAuth & Permissions.',
      },
    },
  },
  settingsSchema: { type: 'object', additionalProperties: false, properties: {} },
  scopes: [
    {
      scope: 'chat:write',
      capabilities: ['ACTIONS'],
      reason: 'To post and to reply where the app has been invited.',
    },
    {
      scope: 'chat:write.public',
      capabilities: ['ACTIONS'],
      reason:
        'To post into public channels that nobody has invited the app to. Leave it out where that is not wanted.',
    },
    { scope: 'reactions:write', capabilities: ['ACTIONS'], reason: 'To react to messages.' },
    {
      scope: 'channels:history',
      capabilities: ['WEBHOOK', 'ACTIONS'],
      reason:
        'To hear messages of public channels the app is in, and to look whether a message was sent when Slack’s answer was lost.',
    },
    {
      scope: 'groups:history',
      capabilities: ['WEBHOOK', 'ACTIONS'],
      reason: 'The same for private channels the app has been invited to.',
    },
    {
      scope: 'im:history',
      capabilities: ['WEBHOOK', 'ACTIONS'],
      reason: 'The same for direct messages to the app.',
    },
    { scope: 'app_mentions:read', capabilities: ['WEBHOOK'], reason: 'To hear when the app is mentioned.' },
    { scope: 'reactions:read', capabilities: ['WEBHOOK'], reason: 'To hear of reactions.' },
    { scope: 'channels:read', capabilities: ['WEBHOOK'], reason: 'To hear of new channels.' },
    { scope: 'users:read', capabilities: ['WEBHOOK'], reason: 'To hear who joins, changes and leaves.' },
    { scope: 'usergroups:read', capabilities: ['WEBHOOK'], reason: 'To hear of changes in user groups.' },
  ],

  // Slack counts by method, and says only when it was too much: these keep well-behaved calls below its tiers 3 and 4.
  rateLimits: [
    { bucket: 'read', points: 50, durationSeconds: 60, methods: ['GET'], source: LIMITS },
    { bucket: 'write', points: 100, durationSeconds: 60, methods: ['POST'], source: LIMITS },
  ],
  triggers,
  failures,
  // Tokens and addresses that let their holder act, and what tells of people beyond their id.
  redact: [
    ['token'],
    ['response_url'],
    ['response_urls'],
    ['trigger_id'],
    ['bot_access_token'],
    ['event', 'token'],
    ['event', 'trigger_id'],
    ['event', 'bot_access_token'],
    ['event', 'user', 'profile'],
    ['event', 'user', 'real_name'],
    ['event', 'user_profile'],
    ['event', 'message', 'user_profile'],
    ['event', 'previous_message', 'user_profile'],
    ['user_name'],
    ['user', 'profile'],
  ],
};
