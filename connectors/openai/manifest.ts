import type { Manifest } from '../../src/connector/index.js';
import { pollable } from './poll.js';

const DOCS = 'https://platform.openai.com/docs';

/** OpenAI's platform. Facts: its published API description of August 2026 and npm `openai` 6.49. */
export const manifest: Manifest = {
  id: 'openai',
  name: 'OpenAI',
  description: 'Chats, embeddings, and what batches, fine-tuning jobs, evaluations, usage and costs came to.',
  category: 'AI',
  stage: 'BETA',
  version: '0.1.0',
  // The version is in the path; within it models are what is retired, by dated notices.
  apiVersions: [{ version: 'v1', default: true, deprecated: false }],
  documentationUrl: `${DOCS}/api-reference`,
  baseUrl: 'https://api.openai.com/v1',
  headers: { accept: 'application/json', 'user-agent': 'Tributary' },

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
        description: 'A project’s key (sk-proj-…); to poll usage and costs an admin key (sk-admin-…).',
      },
    },
  },
  settingsSchema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      poll: {
        type: 'array',
        maxItems: pollable.length,
        uniqueItems: true,
        items: { enum: pollable },
        description:
          'What is polled. Usage and costs take an admin key, the others a project’s: one connection each.',
      },
    },
  },
  // As the page calls them where a key is restricted. A key does not tell what it may do: nothing is refused before it is sent.
  scopes: [
    {
      scope: 'Model capabilities: write',
      capabilities: ['ACTIONS'],
      reason: 'To have models answer chats and make embeddings.',
    },
    {
      scope: 'List models: read',
      capabilities: ['ACTIONS', 'POLLING'],
      reason: 'By it a key is verified.',
    },
    {
      scope: 'Usage: read',
      capabilities: ['POLLING'],
      reason: 'To read usage and costs by day; only admin keys have it.',
    },
  ],

  // By model, tier and organization, and told by no page that holds for all: OpenAI’s own 429 is what counts.
  rateLimits: [],
  triggers: [
    {
      signalType: 'build_finished',
      title: 'Batch, fine-tuning job or evaluation ended',
      providerEvents: [
        'batch.completed',
        'batch.failed',
        'batch.expired',
        'batch.cancelled',
        'fine_tuning.job.succeeded',
        'fine_tuning.job.failed',
        'fine_tuning.job.cancelled',
        'eval.run.succeeded',
        'eval.run.failed',
        'eval.run.canceled',
      ],
      via: ['WEBHOOK', 'POLLING'],
    },
    {
      signalType: 'model_usage_reported',
      title: 'A day’s usage of a model',
      providerEvents: ['usage.completions', 'usage.embeddings'],
      via: ['POLLING'],
    },
    {
      signalType: 'metric_reported',
      title: 'A line of a day’s costs',
      providerEvents: ['cost.line'],
      via: ['POLLING'],
    },
    {
      signalType: 'provider_event',
      title: 'Background responses, incoming calls and any other event',
      providerEvents: ['response.*', 'realtime.call.incoming', 'live.call.incoming', '*'],
      via: ['WEBHOOK'],
    },
  ],
  failures: {
    message: ['error', 'message'],
    rules: [
      // Both are 429, and no waiting brings money: they must not be sent again.
      { status: [429], bodyContains: 'insufficient_quota', category: 'INVALID', code: 'insufficient_quota' },
      { status: [429], bodyContains: '"billing_', category: 'INVALID', code: 'billing' },
      { status: [429], category: 'RATE_LIMIT', code: 'rate_limit_exceeded', waitSeconds: 60 },
      { status: [401], category: 'AUTH', code: 'invalid_api_key' },
      { status: [403], category: 'AUTH', code: 'forbidden' },
      { status: [404], bodyContains: 'model_not_found', category: 'NOT_FOUND', code: 'model_not_found' },
    ],
    // Durations such as `1s` or `6m0s`, beside Retry-After.
    resets: [
      { header: 'retry-after-ms', unit: 'milliseconds' },
      { header: 'x-ratelimit-reset-requests', unit: 'duration' },
      { header: 'x-ratelimit-reset-tokens', unit: 'duration' },
    ],
  },
  // Who calls, and from which number.
  redact: [['data', 'sip_headers']],
};
