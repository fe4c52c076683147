import Anthropic from '@anthropic-ai/sdk';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { subject } from '../../test/conformance/subjects/anthropic.js';
import { standardWebhooks } from '../../test/conformance/subjects/openai.js';
import { failureOf, inWorld } from '../../test/conformance/world.js';
import { answer } from '../../test/support/fake-behavior.js';
import { ANSWER, anthropicError, startFakeAnthropic } from '../../test/support/fake-anthropic.js';
import type { Json, VerbInput } from '../../src/connector/index.js';
import { Secret } from '../../src/core/secret.js';
import { actions } from './actions.js';
import { auth } from './auth.js';
import { normalize } from './normalize.js';
import { poll } from './poll.js';
import { webhook } from './webhook.js';

// Only what conformance can't know.

const NOW = new Date('2026-11-21T12:00:00.750Z');
const secret = new Secret(`whsec_${Buffer.from('k'.repeat(32)).toString('base64')}`);
const chat = subject.provider.inputs.completeChat as VerbInput<'completeChat'>;
const { execute } = actions.completeChat!;

it('verifies as Anthropic’s own SDK does, both ways', () => {
  const at = new Date();
  const payload = '{"type":"event","id":"evt_1","data":{"type":"session.created"}}';
  const time = String(Math.floor(at.getTime() / 1000));
  const signature = new Webhook(secret.reveal()).sign('evt_1', at, payload);
  const headers = { 'webhook-id': 'evt_1', 'webhook-timestamp': time, 'webhook-signature': signature };
  expect(webhook.verify({ headers, body: Buffer.from(payload), receivedAt: at }, [secret])).toBe(true);
  const ours = standardWebhooks.sign({ headers: {}, body: Buffer.from(payload) }, secret, at);
  const { beta } = new Anthropic({ apiKey: 'none' });
  const theirs = { headers: ours.headers as Record<string, string>, key: secret.reveal() };
  expect(beta.webhooks.unwrap(payload, theirs)).toMatchObject({ id: 'evt_1' });
});

describe('failures', () => {
  it.each([
    [429, 'enforced_spend_limit_reached'],
    [429, 'contract_spend_limit_reached'],
    [402, 'linked_organization_spend_limit_reached'],
  ])('%i for want of money (%s) is no limit to wait for', async (status, errorCode) => {
    await inWorld(subject, async ({ fake, context }) => {
      const reply = anthropicError(status, { error_code: errorCode });
      fake.provider.next('POST /messages', answer(reply));
      const { details } = await failureOf(execute(context, chat));
      expect(details).toMatchObject({ category: 'INVALID', code: 'spend_limit_reached' });
      expect(details.retryAt).toBeUndefined();
    });
  });

  it('529 has done nothing, and other 5xx may have', async () => {
    await inWorld(subject, async ({ fake, context }) => {
      fake.provider.next('POST /messages', answer(anthropicError(529)));
      const overloaded = await failureOf(execute(context, chat));
      expect(overloaded.details).toMatchObject({ category: 'RATE_LIMIT', isAmbiguous: false });
    });
    await inWorld(subject, async ({ fake, context }) => {
      fake.provider.next('POST /messages', answer(anthropicError(500)));
      const failed = await failureOf(execute(context, chat));
      expect(failed.details).toMatchObject({ category: 'PROVIDER', isAmbiguous: true });
    });
  });
});

describe('versions', () => {
  it('speaks today’s by default, and refuses a temperature there instead of leaving it out', async () => {
    await inWorld(subject, async ({ fake, context }) => {
      await execute(context, chat);
      expect(fake.provider.requests[0]?.headers['anthropic-version']).toBe('2026-10-21');
      const { details } = await failureOf(execute(context, { ...chat, temperature: 0.5 }));
      expect(details).toMatchObject({ category: 'INVALID', code: 'no_temperature' });
      expect(fake.provider.requests).toHaveLength(1);
    });
  });

  it('speaks the earlier one where the settings say so', async () => {
    await inWorld(subject, async ({ fake, context }) => {
      const earlier = { ...context, settings: { apiVersion: '2023-06-01' } };
      await execute(earlier, { ...chat, temperature: 0.5 });
      const [request] = fake.provider.requests;
      expect(request?.headers['anthropic-version']).toBe('2023-06-01');
      expect(request?.body).toEqual({
        model: 'claude-fake-5',
        max_tokens: 200,
        messages: [{ role: 'user', content: 'Why does this one not close?' }],
        system: 'You know doors.',
        temperature: 0.5,
      });
    });
  });
});

it('needs a message that is no instruction', async () => {
  await inWorld(subject, async ({ context }) => {
    const messages = [{ role: 'SYSTEM' as const, content: 'You know doors.' }];
    const { details } = await failureOf(execute(context, { ...chat, messages }));
    expect(details).toMatchObject({ category: 'INVALID', code: 'no_messages' });
  });
});

it('has a fake that answers Anthropic’s own SDK', async () => {
  const fake = await startFakeAnthropic({ now: () => NOW });
  try {
    fake.addBatch(true);
    const baseURL = fake.provider.url;
    // The SDK's paths begin with /v1, which is a part of our base URL.
    const fetchBelow = (url: unknown, init?: RequestInit) =>
      fetch((url as string).replace('/v1/', '/'), init);
    const client = new Anthropic({ apiKey: fake.apiKey, baseURL, maxRetries: 0, fetch: fetchBelow });
    const message = await client.messages.create({
      model: 'claude-fake-5',
      max_tokens: 10,
      messages: [{ role: 'user', content: 'Why?' }],
    });
    expect(message.content[0]).toMatchObject({ type: 'text', text: ANSWER });
    const batches = await client.messages.batches.list();
    expect(batches.data.map(({ processing_status: status }) => status)).toEqual(['ended']);
  } finally {
    await fake.provider.close();
  }
});

describe('reports', () => {
  it('tell a day when it has been over for an hour, by Anthropic’s clock', () =>
    inWorld(subject, async ({ context, fake }) => {
      fake.polled?.happen();
      const read = (cursor: Json, date: string) => {
        const request: typeof context.request = async (asked) => {
          const response = await context.request(asked);
          return { ...response, headers: { ...response.headers, date } };
        };
        return poll.page({ ...context, request }, { stream: 'cost', cursor, since: NOW, now: new Date(0) });
      };
      const early = await read(null, 'Sun, 22 Nov 2026 00:59:59 GMT');
      expect([early.events, early.isComplete]).toEqual([[], false]);
      const { events } = await read(null, 'Sun, 22 Nov 2026 01:00:00 GMT');
      expect(events.flatMap((event) => normalize({ ...event, receivedAt: NOW }))).toMatchObject([
        {
          type: 'metric_reported',
          kind: 'metric',
          occurredAt: new Date('2026-11-22T00:00:00Z'),
          payload: {
            metric: 'cost',
            amount: 1.2378912,
            currency: 'USD',
            period_start: '2026-11-21T00:00:00Z',
          },
        },
        { payload: { line_item: 'Claude Fake 5 Usage - Output Tokens' } },
      ]);
    }));

  it('count all input, with what was cached', () =>
    inWorld(subject, async ({ context, fake }) => {
      fake.polled?.happen();
      const { events } = await poll.page(context, { stream: 'usage', cursor: null, since: NOW, now: NOW });
      const payloads = events
        .flatMap((event) => normalize({ ...event, receivedAt: NOW }))
        .map(({ payload }) => payload);
      expect(payloads[0]).toMatchObject({ input_tokens: 3200, cached_input_tokens: 200, output_tokens: 500 });
    }));

  it('are read with an admin key, which the organization names', () =>
    inWorld(subject, async ({ context }) => {
      const { account } = await auth.identify({ ...context, settings: { poll: ['usage', 'cost'] } });
      expect(account).toEqual({ id: '0f5b7c5e-2d1a-4b7e-9c55-3f1f0a6d7e21', name: 'Acme' });
    }));
});
