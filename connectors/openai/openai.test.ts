import OpenAI from 'openai';
import { Webhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { describe, expect, it } from 'vitest';
import { standardWebhooks, subject } from '../../test/conformance/subjects/openai.js';
import { failureOf, inWorld } from '../../test/conformance/world.js';
import { answer } from '../../test/support/fake-behavior.js';
import { ANSWER, openaiError, startFakeOpenAI } from '../../test/support/fake-openai.js';
import type { RawDelivery, VerbInput } from '../../src/connector/index.js';
import { Secret } from '../../src/core/secret.js';
import { actions } from './actions.js';
import { normalize } from './normalize.js';
import { poll } from './poll.js';
import { webhook } from './webhook.js';

// Only what conformance can't know.

const NOW = new Date('2026-11-21T12:00:00.750Z');
const secret = new Secret(`whsec_${Buffer.from('k'.repeat(32)).toString('base64')}`);
const chat = subject.provider.inputs.completeChat as VerbInput<'completeChat'>;

function signed(payload: string, id = 'wh_1', at = new Date()): RawDelivery {
  const signature = new Webhook(secret.reveal()).sign(id, at, payload);
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': signature,
  };
  return { headers, body: Buffer.from(payload), receivedAt: at };
}

describe('signatures', () => {
  it('agree with standardwebhooks, svix and OpenAI’s own SDK, both ways', async () => {
    const delivery = signed('{"type":"batch.completed","data":{"id":"batch_1"}}');
    expect(webhook.verify(delivery, [secret])).toBe(true);
    const ours = standardWebhooks.sign({ headers: {}, body: delivery.body }, secret, new Date());
    const headers = ours.headers as Record<string, string>;
    const text = ours.body.toString();
    expect(new Webhook(secret.reveal()).verify(text, headers)).toMatchObject({ type: 'batch.completed' });
    expect(new SvixWebhook(secret.reveal()).verify(text, headers)).toMatchObject({ type: 'batch.completed' });
    const client = new OpenAI({ apiKey: 'none', webhookSecret: secret.reveal() });
    expect(await client.webhooks.unwrap(text, headers)).toMatchObject({ type: 'batch.completed' });
  });

  it('take the published vector', () => {
    const vector = new Secret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
    const at = new Date(1_614_265_330_000);
    const headers = {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1a,none v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    };
    const body = Buffer.from('{"test": 2432232314}');
    expect(webhook.verify({ headers, body, receivedAt: at }, [vector])).toBe(true);
    expect(webhook.verify({ headers, body, receivedAt: at }, [secret, vector])).toBe(true);
    expect(webhook.verify({ headers, body, receivedAt: at }, [secret])).toBe(false);
  });

  it('are refused where the libraries let them through: a number that only begins as a time', () => {
    const delivery = signed('{}');
    const time = `${delivery.headers['webhook-timestamp']}.5`;
    const headers = { ...delivery.headers, 'webhook-timestamp': time };
    // parseInt reads it, and what is signed is the number that it read.
    expect(() => new Webhook(secret.reveal()).verify('{}', headers)).not.toThrow();
    expect(webhook.verify({ ...delivery, headers }, [secret])).toBe(false);
  });

  it.each([
    [299, true],
    [-299, true],
    [302, false],
    [-302, false],
  ])('tolerate five minutes both ways: %i seconds', (seconds, isAccepted) => {
    const at = new Date('2026-11-21T12:00:00Z');
    const delivery = { ...signed('{}', 'wh_1', at), receivedAt: new Date(at.getTime() + seconds * 1000) };
    expect(webhook.verify(delivery, [secret])).toBe(isAccepted);
  });
});

describe('money', () => {
  it.each([
    ['insufficient_quota', 'insufficient_quota'],
    ['billing_not_active', 'billing'],
    ['billing_hard_limit_reached', 'billing'],
  ])('that is lacking (%s) is no limit to wait for', async (code, expected) => {
    await inWorld(subject, async ({ fake, context }) => {
      fake.provider.next('POST /chat/completions', answer(openaiError(429, code)));
      const { details } = await failureOf(actions.completeChat!.execute(context, chat));
      expect(details).toMatchObject({ category: 'INVALID', code: expected, providerStatus: 429 });
      expect(details.retryAt).toBeUndefined();
      expect(fake.provider.requests).toHaveLength(1);
    });
  });

  it('is not meant by the page that an ordinary limit points to', async () => {
    const message =
      'Rate limit reached. Add a payment method at https://platform.openai.com/account/billing.';
    await inWorld(subject, async ({ fake, context }) => {
      fake.provider.next('POST /chat/completions', answer(openaiError(429, undefined, message)));
      const { details } = await failureOf(actions.completeChat!.execute(context, chat));
      expect(details).toMatchObject({ category: 'RATE_LIMIT', code: 'rate_limit_exceeded' });
    });
  });
});

describe('the fake', () => {
  it('answers OpenAI’s own SDK', async () => {
    const fake = await startFakeOpenAI({ now: () => NOW });
    try {
      fake.addBatch('completed');
      const client = new OpenAI({ apiKey: fake.apiKey, baseURL: fake.provider.url, maxRetries: 0 });
      const completion = await client.chat.completions.create({
        model: 'gpt-5.1',
        messages: [{ role: 'user', content: 'Why?' }],
        max_completion_tokens: 10,
      });
      expect(completion.choices[0]?.message.content).toBe(ANSWER);
      const vectors = await client.embeddings.create({
        model: 'text-embedding-3-small',
        input: ['door'],
        encoding_format: 'float',
      });
      expect(vectors.data[0]?.embedding).toHaveLength(4);
      const batches = await client.batches.list();
      expect(batches.data.map(({ status }) => status)).toEqual(['completed']);
    } finally {
      await fake.provider.close();
    }
  });
});

describe('requests', () => {
  it('say what was asked in OpenAI’s words, and nothing that was not', async () => {
    await inWorld(subject, async ({ fake, context }) => {
      const outcome = await actions.completeChat!.execute(context, { ...chat, temperature: 0 });
      expect(outcome.output).toEqual({
        text: ANSWER,
        finishReason: 'STOP',
        model: 'gpt-5.1-2026-01-15',
        inputTokens: 19,
        outputTokens: 10,
      });
      expect(fake.provider.requests[0]?.body).toEqual({
        model: 'gpt-5.1',
        messages: [
          { role: 'system', content: 'You know doors.' },
          { role: 'user', content: 'Why does this one not close?' },
        ],
        max_completion_tokens: 200,
        temperature: 0,
      });
    });
  });

  it('put vectors into the order of the texts', async () => {
    await inWorld(subject, async ({ fake, context }) => {
      const data = [
        { index: 1, embedding: [2] },
        { index: 0, embedding: [1] },
      ];
      fake.provider.next('POST /embeddings', answer({ status: 200, body: { model: 'm', data } }));
      const input = { model: 'm', texts: ['a', 'b'] };
      const { output } = await actions.createEmbedding!.execute(context, input);
      expect(output['vectors']).toEqual([[1], [2]]);
    });
  });
});

describe('usage', () => {
  it('tells a day only when it has been over for an hour, by OpenAI’s clock', async () => {
    await inWorld(subject, async ({ context }) => {
      expect(poll.streams({ poll: ['usage'] }).map(({ name }) => name)).toEqual([
        'usage:completions',
        'usage:embeddings',
      ]);
      const day = (start: number) => ({
        start_time: start,
        end_time: start + 86_400,
        results: [{ model: 'gpt-5.1', num_model_requests: 2, input_tokens: 7 }],
      });
      const request = async () => ({
        status: 200,
        headers: { date: new Date((2 * 86_400 + 3599) * 1000).toUTCString() },
        body: { data: [day(0), day(86_400)], has_more: false, next_page: null },
      });
      const asked = { stream: 'usage:completions', cursor: null, since: new Date(0), now: NOW };
      const { events, nextCursor } = await poll.page({ ...context, request }, asked);
      const signals = events.flatMap((event) => normalize({ ...event, receivedAt: NOW }));
      expect(signals).toMatchObject([
        { type: 'model_usage_reported', kind: 'metric', payload: { requests: 2, input_tokens: 7 } },
      ]);
      expect(nextCursor).toEqual({ from: 86_400 });
    });
  });
});

it('waits for a chat longer than for anything else, and not longer than an action is held', async () => {
  const deadlines: unknown[] = [];
  await inWorld(subject, async ({ context }) => {
    const request: typeof context.request = (asked) => {
      deadlines.push(asked.deadlineMs);
      return context.request(asked);
    };
    await actions.completeChat!.execute({ ...context, request }, chat);
  });
  // The lease of an action is a minute, and five seconds are kept for what surrounds a request.
  expect(deadlines).toEqual([40_000]);
});
