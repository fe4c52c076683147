import {
  type Manifest,
  type SignalType,
  type TriggerDefinition,
  baseUrlSetting,
} from '../../src/connector/index.js';
import { rules } from './normalize.js';

const DOCS = 'https://docs.gitlab.com';
const LIMITS = `${DOCS}/user/gitlab_com/#gitlabcom-specific-rate-limits`;

/** What a tenant's admin reads for each kind of signal; the test holds it against the rules, both ways. */
const titles: Partial<Record<SignalType, string>> = {
  push: 'Commits pushed to a branch or tag',
  branch_created: 'Branch created',
  branch_deleted: 'Branch deleted',
  tag_created: 'Tag created',
  pr_opened: 'Merge request opened',
  pr_updated: 'Merge request changed, or an approval taken back',
  pr_closed: 'Merge request closed without merging',
  pr_merged: 'Merge request merged',
  pr_reopened: 'Merge request reopened',
  pr_reviewed: 'Merge request approved',
  pr_commented: 'Comment on a merge request',
  issue_created: 'Issue opened',
  issue_updated: 'Issue changed',
  issue_assigned: 'Issue assigned',
  issue_commented: 'Comment on an issue',
  issue_closed: 'Issue closed',
  issue_reopened: 'Issue reopened',
  comment_added: 'Comment on a commit or snippet',
  release_published: 'Release created',
  deployment_status_changed: 'Deployment began, succeeded, failed or was canceled',
  build_queued: 'Pipeline or job waits',
  build_started: 'Pipeline or job runs',
  build_finished: 'Pipeline or job succeeded, failed or was canceled',
  page_published: 'Wiki page created',
  page_updated: 'Wiki page edited',
  page_deleted: 'Wiki page deleted',
  reaction_added: 'Emoji reaction added',
  user_created: 'Member added to a group, or account created',
  user_updated: 'Account renamed',
  user_deactivated: 'Member removed from a group, or account removed',
  role_assigned: 'Role in a group or project changed',
  login_failed: 'Login of a blocked account failed',
};

/** What the lists of GitLab's REST API show as well; README.md tells why not more. */
const polled: ReadonlySet<string> = new Set([
  'issue_created',
  'issue_closed',
  'issue_commented',
  'pr_opened',
  'pr_merged',
  'pr_commented',
  'build_queued',
  'build_started',
  'build_finished',
]);

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

/** GitLab.com, and GitLab on a server of one's own. Facts: https://docs.gitlab.com/api, read in November 2026. */
export const manifest: Manifest = {
  id: 'gitlab',
  name: 'GitLab',
  description:
    'Code, merge requests, issues, releases, pipelines and deployments of GitLab.com or a GitLab of your own.',
  category: 'SOURCE_CONTROL',
  stage: 'BETA',
  version: '0.1.0',
  // The version is a part of the path.
  apiVersions: [{ version: 'v4', default: true, deprecated: false }],
  documentationUrl: `${DOCS}/api/rest`,
  baseUrl: 'https://gitlab.com/api/v4',
  selfManaged: { apiPath: '/api/v4' },
  headers: { accept: 'application/json', 'user-agent': 'Tributary' },

  authMethods: ['OAUTH2', 'BEARER'],
  // https://docs.gitlab.com/api/oauth2: each refresh ends the old pair at once.
  oauth: {
    authorizationUrl: 'https://gitlab.com/oauth/authorize',
    tokenUrl: 'https://gitlab.com/oauth/token',
    revocation: { style: 'rfc7009', url: 'https://gitlab.com/oauth/revoke' },
    scopes: ['api'],
    scopeSeparator: ' ',
    pkce: 'S256',
    clientAuthentication: 'post',
    tokenBody: 'form',
    refreshToken: { rotates: true, reuseSeconds: 0, needsRedirectUri: true },
    defaultExpiresInSeconds: 7200,
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
        description: 'A personal, project or group access token (glpat-…).',
      },
    },
  },
  settingsSchema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      baseUrl: baseUrlSetting('GitLab'),
      projects: {
        type: 'array',
        maxItems: 100,
        uniqueItems: true,
        items: { type: 'string', maxLength: 240, pattern: '^[\\w.-]+(/[\\w.-]+)+$' },
        description:
          'Projects whose issues, merge requests, comments and pipelines are polled, as "group/project".',
      },
    },
  },
  scopes: [
    {
      scope: 'api',
      capabilities: ['ACTIONS', 'POLLING'],
      reason:
        'To write issues, comments, statuses and merges, and to start pipelines: GitLab has no smaller scope for writing.',
    },
    {
      scope: 'read_api',
      capabilities: ['POLLING'],
      reason: 'Instead of api, when nothing is written.',
    },
    {
      scope: 'read_user',
      capabilities: ['WEBHOOK'],
      reason: 'Enough to see whose token it is, when there are only webhooks; api and read_api include it.',
    },
  ],

  rateLimits: [
    // A GitLab of one's own has no limits unless its admin sets some: the headers then tell.
    {
      bucket: 'api',
      points: 2000,
      durationSeconds: 60,
      headers: {
        remaining: 'ratelimit-remaining',
        reset: { header: 'ratelimit-reset', unit: 'epoch_seconds' },
        // Limits of single endpoints speak by the same headers, under names of their own.
        when: { 'ratelimit-name': 'throttle_authenticated_api' },
      },
      source: LIMITS,
    },
  ],
  triggers,

  failures: {
    // Validation errors are an object, and told by the status alone.
    message: ['message'],
    rules: [
      // "Retry later", in plain text.
      { status: [429], category: 'RATE_LIMIT', code: 'rate_limit', waitSeconds: 60 },
      { status: [401], category: 'AUTH', code: 'unauthorized' },
      { status: [403], bodyContains: 'insufficient_scope', category: 'AUTH', code: 'insufficient_scope' },
      { status: [403], category: 'AUTH', code: 'forbidden' },
      // Also what a token that may not see a private project gets.
      { status: [404], category: 'NOT_FOUND', code: 'not_found' },
      { status: [405], category: 'INVALID', code: 'not_mergeable' },
      { status: [409], bodyContains: 'SHA does not match', category: 'INVALID', code: 'head_changed' },
      { status: [409], category: 'INVALID', code: 'conflict' },
      { status: [400, 422], category: 'INVALID', code: 'validation_failed' },
    ],
    resets: [{ header: 'ratelimit-reset', unit: 'epoch_seconds' }],
  },
  // Addresses of people, and what pipelines are given: variables may hold secrets.
  redact: [
    ['user', 'email'],
    ['user_email'],
    ['email'],
    ['owner_email'],
    ['owners', '*', 'email'],
    ['assignees', '*', 'email'],
    ['reviewers', '*', 'email'],
    ['commits', '*', 'author', 'email'],
    ['commit', 'author', 'email'],
    ['commit', 'author_email'],
    ['object_attributes', 'last_commit', 'author', 'email'],
    ['merge_request', 'last_commit', 'author', 'email'],
    ['builds', '*', 'user', 'email'],
    ['object_attributes', 'variables', '*', 'value'],
  ],
};
