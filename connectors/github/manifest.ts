import {
  type Manifest,
  type SignalType,
  type TriggerDefinition,
  baseUrlSetting,
} from '../../src/connector/index.js';
import { rules } from './normalize.js';
import { API_VERSIONS, DEFAULT_VERSION } from './version.js';

const DOCS = 'https://docs.github.com/en';
const LIMITS = `${DOCS}/rest/using-the-rest-api/rate-limits-for-the-rest-api`;
const WRITES = ['POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** What a tenant's admin reads for each kind of signal; the test holds it against the rules, both ways. */
const titles: Partial<Record<SignalType, string>> = {
  push: 'Commits pushed to a branch or tag',
  branch_created: 'Branch created',
  branch_deleted: 'Branch deleted',
  tag_created: 'Tag created',
  pr_opened: 'Pull request opened',
  pr_updated: 'Pull request changed',
  pr_closed: 'Pull request closed without merging',
  pr_merged: 'Pull request merged',
  pr_reopened: 'Pull request reopened',
  pr_reviewed: 'Pull request reviewed',
  pr_commented: 'Comment on a pull request',
  issue_created: 'Issue opened',
  issue_updated: 'Issue changed',
  issue_assigned: 'Issue assigned',
  issue_commented: 'Comment on an issue',
  issue_closed: 'Issue closed',
  issue_reopened: 'Issue reopened',
  issue_deleted: 'Issue deleted',
  comment_added: 'Comment on a commit or discussion',
  release_published: 'Release published',
  deployment_created: 'Deployment created',
  deployment_status_changed: 'Deployment status changed',
  build_queued: 'Check, workflow run or job queued',
  build_started: 'Check, workflow run or job started',
  build_finished: 'Check, workflow run, job or commit status finished',
  page_published: 'Wiki page created',
  page_updated: 'Wiki page edited',
  user_created: 'Member joined the organization',
  user_deactivated: 'Member left the organization',
  group_membership_changed: 'Team membership changed',
  role_assigned: 'Collaborator added or given another role',
  app_installed: 'GitHub App installed',
  app_uninstalled: 'GitHub App uninstalled',
  webhook_ping: 'Webhook set up',
};

/** What the lists of GitHub's REST API show as well; README.md tells why not more. */
const polled: ReadonlySet<string> = new Set([
  'issue_created',
  'issue_closed',
  'issue_commented',
  'pr_opened',
  'pr_closed',
  'pr_merged',
  'pr_commented',
  'build_queued',
  'build_finished',
]);

/** Derived from the rules, so that what is announced is what happens. */
const triggers: readonly TriggerDefinition[] = [
  ...Object.entries(titles).map(([type, title]) => ({
    signalType: type as SignalType,
    title,
    providerEvents: rules.filter((rule) => rule.type === type).flatMap(({ on }) => on),
    via: polled.has(type) ? (['WEBHOOK', 'POLLING'] as const) : (['WEBHOOK'] as const),
  })),
  { signalType: 'provider_event', title: 'Any other event', providerEvents: ['*'], via: ['WEBHOOK'] },
];

/** Whoever commits gives an address, and often not one that they would publish. */
const PEOPLE = ['author', 'committer'].map((who) => [who, 'email']);
const COMMITS = [
  ['commits', '*'],
  ['head_commit'],
  ['commit', 'commit'],
  ['check_suite', 'head_commit'],
  ['merge_group', 'head_commit'],
  ['workflow_run', 'head_commit'],
];

/** GitHub.com. Facts: https://docs.github.com/en/rest, read in November 2026. */
export const manifest: Manifest = {
  id: 'github',
  name: 'GitHub',
  description:
    'Code, pull requests, issues, releases, deployments and builds of GitHub.com or a GitHub Enterprise Server.',
  category: 'SOURCE_CONTROL',
  stage: 'BETA',
  version: '0.1.0',
  // https://docs.github.com/en/rest/about-the-rest-api/api-versions: at least two years of overlap.
  apiVersions: [
    { version: API_VERSIONS.earlier, default: true, deprecated: false, sunsetAt: '2028-03-10T00:00:00Z' },
    { version: API_VERSIONS.later, default: false, deprecated: false },
  ],
  documentationUrl: `${DOCS}/rest`,
  baseUrl: 'https://api.github.com',
  // https://docs.github.com/en/enterprise-server/rest: `https://HOST/api/v3`.
  selfManaged: { apiPath: '/api/v3' },
  versionHeader: 'x-github-api-version',
  headers: {
    accept: 'application/vnd.github+json',
    'x-github-api-version': DEFAULT_VERSION,
    // GitHub refuses requests without one.
    'user-agent': 'Tributary',
  },

  authMethods: ['OAUTH2', 'SERVICE_ACCOUNT', 'BEARER'],
  // https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps. Tokens end only where the app
  // has chosen so; then each refresh token is good once, and the access token before it dies with it.
  oauth: {
    authorizationUrl: 'https://github.com/login/oauth/authorize',
    // Else whoever has authorized the app before is sent back without a page, as whom they happen to be signed in.
    authorizationParams: { prompt: 'select_account' },
    tokenUrl: 'https://github.com/login/oauth/access_token',
    scopes: ['repo'],
    scopeSeparator: ' ',
    pkce: 'S256',
    clientAuthentication: 'post',
    tokenBody: 'form',
    refreshToken: { rotates: true, reuseSeconds: 0 },
    defaultExpiresInSeconds: null,
    // It says 200 to errors as well, and in codes of its own.
    errorCodes: {
      bad_verification_code: 'invalid_grant',
      bad_refresh_token: 'invalid_grant',
      incorrect_client_credentials: 'invalid_client',
      redirect_uri_mismatch: 'invalid_request',
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
        description: 'A personal access token, classic (ghp_…) or fine-grained (github_pat_…).',
      },
    },
  },
  credentialSchemas: {
    // A GitHub App, as one of its installations.
    SERVICE_ACCOUNT: {
      type: 'object',
      additionalProperties: false,
      required: ['appId', 'installationId', 'privateKey'],
      properties: {
        appId: { type: 'string', minLength: 1, description: 'The App’s client id or app id.' },
        installationId: {
          type: 'string',
          pattern: '^\\d+$',
          description: 'The number at the end of the installation’s address.',
        },
        privateKey: {
          type: 'string',
          minLength: 1,
          description: 'One of the App’s private keys, the whole PEM file.',
        },
      },
    },
  },
  settingsSchema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      baseUrl: baseUrlSetting('GitHub Enterprise Server'),
      apiVersion: {
        enum: Object.values(API_VERSIONS),
        description: `The version of GitHub’s REST API that is spoken. Left out: ${DEFAULT_VERSION}.`,
      },
      repositories: {
        type: 'array',
        maxItems: 100,
        uniqueItems: true,
        items: { type: 'string', maxLength: 140, pattern: '^[\\w.-]+/[\\w.-]+$' },
        description:
          'Repositories whose issues, pull requests, comments and workflow runs are polled, as "owner/name".',
      },
    },
  },
  scopes: [
    {
      scope: 'repo',
      capabilities: ['ACTIONS', 'POLLING'],
      reason:
        'To write issues, comments, reactions, statuses and merges and to run workflows in private repositories, and to poll them: GitHub has no smaller classic scope.',
    },
    {
      scope: 'public_repo',
      capabilities: ['ACTIONS'],
      reason: 'Instead of repo, when only public repositories are written to.',
    },
    {
      scope: 'repo:status',
      capabilities: ['ACTIONS'],
      reason: 'Enough by itself to set commit statuses, without access to code.',
    },
    {
      scope: 'write:repo_hook',
      capabilities: ['WEBHOOK'],
      reason:
        'To set up webhooks of repositories by registerWebhook, and to renew their secrets; part of repo.',
    },
    {
      scope: 'admin:org_hook',
      capabilities: ['WEBHOOK'],
      reason: 'The same for webhooks of a whole organization. Neither is needed for webhooks set up by hand.',
    },
  ],

  rateLimits: [
    {
      bucket: 'core',
      points: 5000,
      durationSeconds: 3600,
      headers: {
        remaining: 'x-ratelimit-remaining',
        reset: { header: 'x-ratelimit-reset', unit: 'epoch_seconds' },
        // Searches tell of a bucket of their own by the same headers.
        when: { 'x-ratelimit-resource': 'core' },
      },
      source: LIMITS,
    },
    // The secondary limits. No answer tells how they stand.
    {
      bucket: 'points',
      points: 900,
      durationSeconds: 60,
      costs: { POST: 5, PUT: 5, PATCH: 5, DELETE: 5 },
      source: LIMITS,
    },
    // They count what creates content. Which requests those are GitHub does not list: we take every write for one.
    { bucket: 'content', points: 80, durationSeconds: 60, methods: WRITES, source: LIMITS },
    { bucket: 'content-hour', points: 500, durationSeconds: 3600, methods: WRITES, source: LIMITS },
  ],
  triggers,

  failures: {
    message: ['message'],
    rules: [
      {
        status: [403, 429],
        bodyContains: 'secondary rate limit',
        category: 'RATE_LIMIT',
        code: 'secondary_rate_limit',
        // "wait at least one minute", where there is no Retry-After.
        waitSeconds: 60,
        // x-ratelimit-reset comes with every answer and is about the hourly limit.
        ignoresResets: true,
      },
      {
        status: [403, 429],
        headers: { 'x-ratelimit-remaining': '0' },
        category: 'RATE_LIMIT',
        code: 'rate_limit',
        waitSeconds: 60,
      },
      { status: [429], category: 'RATE_LIMIT', code: 'rate_limit', waitSeconds: 60 },
      { status: [401], category: 'AUTH', code: 'bad_credentials' },
      // A missing scope or permission, or an organization's SSO that the token has not been authorized for.
      { status: [403], category: 'AUTH', code: 'forbidden' },
      // Also what a token that may not see a private repository gets.
      { status: [404], category: 'NOT_FOUND', code: 'not_found' },
      { status: [405], category: 'INVALID', code: 'not_mergeable' },
      {
        status: [409],
        bodyContains: 'head branch was modified',
        category: 'INVALID',
        code: 'head_changed',
      },
      { status: [409], category: 'INVALID', code: 'conflict' },
      // Issues are switched off, or the API version is no longer served.
      { status: [410], category: 'NOT_FOUND', code: 'gone' },
      // "Hook already exists on this repository", or organization.
      { status: [422], bodyContains: 'hook already exists', category: 'INVALID', code: 'hook_exists' },
      { status: [422], category: 'INVALID', code: 'validation_failed' },
    ],
    resets: [{ header: 'x-ratelimit-reset', unit: 'epoch_seconds' }],
  },
  redact: [
    ['pusher', 'email'],
    ...COMMITS.flatMap((commit) => PEOPLE.map((person) => [...commit, ...person])),
  ],
};
