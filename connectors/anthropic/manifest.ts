import type { Manifest } from '../../src/connector/index.js';
import { pollable } from './poll.js';
import { CURRENT, EARLIER } from './version.js';

const DOCS = 'https://platform.claude.com/docs/en/api';

/** Anthropic's API. Facts: npm `@anthropic-ai/sdk` 1.11 and 1.12, November 2026; of reports, platform.claude.com's pages. */
export const manifest: Manifest = {
  id: 'anthropic',
  name: 'Anthropic',
  description: 'Chats with Claude, what message batches and agents came to, and reports of usage and cost.',
  category: 'AI',
  stage: 'BETA',
  version: '0.1.0',
  apiVersions: [
    { version: CURRENT, default: true, deprecated: false },
    { version: EARLIER, default: false, deprecated: false },
  ],
  documentationUrl: `${DOCS}/overview`,
  baseUrl: 'https://api.anthropic.com/v1',
  // Each request says which version it wants, as the connection's settings have it.
  headers: { accept: 'application/json', 'user-agent': 'Tributary', 'anthropic-version': CURRENT },

  authMethods: ['API_KEY'],
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
        description: 'A workspace’s key (sk-ant-api…); to poll usage and cost an admin key (sk-ant-admin…).',
      },
    },
  },
  settingsSchema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      apiVersion: {
        enum: [CURRENT, EARLIER],
        description: `The API version that is spoken. Left out: ${CURRENT}. Only ${EARLIER} takes a temperature.`,
      },
      poll: {
        type: 'array',
        maxItems: pollable.length,
        uniqueItems: true,
        items: { enum: pollable },
        description:
          'What is polled. Usage and cost take an admin key, batches a workspace’s: one connection each.',
      },
    },
  },
  // A key has none: it may do what its workspace may.
  scopes: [],

  // By model class and tier, of the organization: no window holds for all, so its own 429 is what counts.
  rateLimits: [],
  triggers: [
    {
      signalType: 'build_finished',
      title: 'Message batch or deployment run ended',
      providerEvents: ['message_batch.ended', 'deployment_run.succeeded', 'deployment_run.failed'],
      via: ['WEBHOOK', 'POLLING'],
    },
    {
      signalType: 'model_usage_reported',
      title: 'A day’s usage of a model in a workspace',
      providerEvents: ['usage.messages'],
      via: ['POLLING'],
    },
    {
      signalType: 'metric_reported',
      title: 'A line of a day’s cost',
      providerEvents: ['cost.line'],
      via: ['POLLING'],
    },
    {
      signalType: 'build_started',
      title: 'Deployment run started',
      providerEvents: ['deployment_run.started'],
      via: ['WEBHOOK'],
    },
    {
      signalType: 'alarm_state_changed',
      title: 'External key failed or recovered',
      providerEvents: ['external_key.failed', 'external_key.recovered'],
      via: ['WEBHOOK'],
    },
    {
      signalType: 'provider_event',
      title: 'Sessions, agents and any other event',
      providerEvents: ['session.*', 'agent.*', '*'],
      via: ['WEBHOOK'],
    },
  ],
  failures: {
    message: ['error', 'message'],
    rules: [
      // Money, under several statuses, 429 among them: no waiting brings any, so it must not be sent again.
      {
        status: [400, 402, 403, 429],
        bodyContains: 'spend_limit_reached',
        category: 'INVALID',
        code: 'spend_limit_reached',
      },
      {
        status: [400, 402, 403],
        bodyContains: 'billing_error',
        category: 'INVALID',
        code: 'billing_error',
      },
      { status: [429], category: 'RATE_LIMIT', code: 'rate_limit_error', waitSeconds: 60 },
      // Turned away at the door: it was not begun.
      { status: [529], category: 'RATE_LIMIT', code: 'overloaded_error', waitSeconds: 30, isRefusal: true },
      { status: [401], category: 'AUTH', code: 'authentication_error' },
      { status: [403], category: 'AUTH', code: 'permission_error' },
      { status: [413], category: 'INVALID', code: 'request_too_large' },
    ],
    resets: [
      { header: 'retry-after-ms', unit: 'milliseconds' },
      ...['requests', 'tokens', 'input-tokens', 'output-tokens'].map(
        (what) => ({ header: `anthropic-ratelimit-${what}-reset`, unit: 'rfc3339' }) as const,
      ),
    ],
  },
};
