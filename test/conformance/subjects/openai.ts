import { createHmac } from 'node:crypto';
import { openai } from '../../../connectors/openai/index.js';
import { Secret } from '../../../src/core/secret.js';
import { throttled } from '../../support/fake-behavior.js';
import { openaiError, startFakeOpenAI } from '../../support/fake-openai.js';
import type { ConformanceSubject, WebhookSubject } from '../subject.js';

/** Standard Webhooks, from its specification. */
export const standardWebhooks: WebhookSubject = {
  signs: ['body', 'time'],
  secret: (seed) => `whsec_${Buffer.from(seed.padEnd(32, '.')).toString('base64')}`,
  sign({ headers, body }, secret, at) {
    const id = headers['webhook-id'] ?? 'msg_without_a_name';
    const timestamp = String(Math.floor(at.getTime() / 1000));
    const key = Buffer.from(secret.reveal().replace('whsec_', ''), 'base64');
    const digest = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64');
    const proof = { 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${digest}` };
    return { headers: { 'webhook-id': id, ...headers, ...proof }, body, receivedAt: at };
  },
};

export const subject: ConformanceSubject = {
  connector: openai,
  folder: 'openai',
  webhook: standardWebhooks,
  polling: { settings: { poll: ['batches', 'fine_tuning_jobs', 'usage', 'costs'] } },
  provider: {
    async start(clock) {
      const fake = await startFakeOpenAI(clock);
      return {
        provider: fake.provider,
        credential: { apiKey: new Secret(fake.apiKey) },
        crowd: () => undefined,
        polled: {
          happen() {
            for (let made = 0; made < 120; made++) fake.addBatch('completed');
            for (const end of ['failed', 'expired', 'cancelled', undefined] as const) fake.addBatch(end);
            for (let made = 0; made < 120; made++) fake.addFineTuningJob('succeeded');
            for (const end of ['failed', 'cancelled', undefined] as const) fake.addFineTuningJob(end);
            for (let day = 0; day < 4; day++) fake.addDay();
          },
          told: fake.told,
        },
      };
    },
    inputs: {
      completeChat: {
        model: 'gpt-5.1',
        messages: [
          { role: 'SYSTEM', content: 'You know doors.' },
          { role: 'USER', content: 'Why does this one not close?' },
        ],
        maxOutputTokens: 200,
      },
      createEmbedding: { model: 'text-embedding-3-small', texts: ['door', 'window'], dimensions: 3 },
    },
    throttles: (now) => [
      {
        name: '429, retry-after-ms',
        answer: throttled({ headers: { 'retry-after-ms': '36500' }, body: openaiError(429).body }, now),
        retryAt: new Date(now.getTime() + 36_500),
      },
      {
        name: '429, Retry-After in seconds',
        answer: throttled({ retryAfter: 37, body: openaiError(429).body }, now),
        retryAt: new Date(now.getTime() + 37_000),
      },
      {
        name: '429, resets as durations',
        answer: throttled(
          {
            headers: { 'x-ratelimit-reset-requests': '1s', 'x-ratelimit-reset-tokens': '6m0s' },
            body: openaiError(429).body,
          },
          now,
        ),
        retryAt: new Date(now.getTime() + 360_000),
      },
      {
        name: '429 without a time',
        answer: throttled({ body: openaiError(429).body }, now),
        retryAt: new Date(now.getTime() + 60_000),
      },
    ],
    error: openaiError,
  },
};
