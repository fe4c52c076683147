import { anthropic } from '../../../connectors/anthropic/index.js';
import { Secret } from '../../../src/core/secret.js';
import { throttled } from '../../support/fake-behavior.js';
import { anthropicError, startFakeAnthropic } from '../../support/fake-anthropic.js';
import type { ConformanceSubject } from '../subject.js';
import { standardWebhooks } from './openai.js';

export const subject: ConformanceSubject = {
  connector: anthropic,
  folder: 'anthropic',
  webhook: standardWebhooks,
  polling: { settings: { poll: ['batches', 'usage', 'cost'] } },
  provider: {
    async start(clock) {
      const fake = await startFakeAnthropic(clock);
      return {
        provider: fake.provider,
        credential: { apiKey: new Secret(fake.apiKey) },
        crowd: () => undefined,
        polled: {
          happen() {
            for (let made = 0; made < 120; made++) fake.addBatch(made % 3 > 0);
            for (let day = 0; day < 4; day++) fake.addDay();
          },
          told: fake.told,
        },
      };
    },
    inputs: {
      completeChat: {
        model: 'claude-fake-5',
        messages: [
          { role: 'SYSTEM', content: 'You know doors.' },
          { role: 'USER', content: 'Why does this one not close?' },
        ],
        maxOutputTokens: 200,
      },
    },
    throttles: (now) => [
      {
        name: '429, retry-after in seconds',
        answer: throttled({ retryAfter: 37, body: anthropicError(429).body }, now),
        retryAt: new Date(now.getTime() + 37_000),
      },
      {
        name: '429, resets in RFC 3339',
        answer: throttled(
          {
            headers: {
              'anthropic-ratelimit-requests-reset': '2026-11-21T12:00:05Z',
              'anthropic-ratelimit-input-tokens-reset': '2026-11-21T12:00:41Z',
            },
            body: anthropicError(429).body,
          },
          now,
        ),
        retryAt: new Date('2026-11-21T12:00:41Z'),
      },
      {
        name: '529, overloaded, without a time',
        answer: throttled({ status: 529, body: anthropicError(529).body }, now),
        retryAt: new Date(now.getTime() + 30_000),
      },
    ],
    error: anthropicError,
  },
};
