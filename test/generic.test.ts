import { createHmac, randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ConnectDocument,
  DeadLettersDocument,
  ExecuteActionDocument,
  RedriveDocument,
  ReplaySignalsDocument,
  RotateDocument,
  SignalsDocument,
  TryMappingDocument,
  UpdateConnectionDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { type TestApp, type TestCaller, useTestApp } from './support/app.js';
import { startFakeService } from './support/fake-service.js';
import { type Hook, post } from './support/github.js';
import { settings as shop } from './conformance/subjects/generic.js';

/** An order becomes a record, its lines with it. */
const MAPPING = `
event = "order.made" ? {
  "type": "record_created",
  "id": "order:" & order.id,
  "occurredAt": at,
  "payload": { "title": order.title, "total": $sum(order.lines.price), "heard": $event.type },
  "canonicalKeys": { "order_id": order.id },
  "evidence": [{ "type": "order", "url": "https://shop.example.com/" & order.id }]
}`;
const MENDED = MAPPING.replace(
  '"record_created"',
  '$exists(order.parent) ? "record_updated" : "record_created"',
);

const order = {
  event: 'order.made',
  at: '2026-11-20T08:15:30Z',
  order: { id: 'o-1', title: 'A door', lines: [{ price: 250 }, { price: 20 }] },
};

/** Together they take longer than a mapping may. */
const SLOW = '$contains(text, /^(a+)+$/) ? { "type": "push", "id": "1" }';
const EVIL = { event: 'x', text: `${'a'.repeat(40)}!` };

interface Story {
  readonly app: TestApp;
  readonly caller: TestCaller;
  readonly hook: Hook;
  readonly service: Awaited<ReturnType<typeof startFakeService>>;
}

async function connect(caller: TestCaller, settings: object, token = 'not-checked'): Promise<Hook> {
  const made = { providerId: 'generic', name: randomUUID(), authMethod: 'BEARER' as const };
  const input = { ...made, credential: { token }, settings: settings as never };
  const { connect: done } = await caller.get(ConnectDocument, { input });
  const { url, secret } = done.webhook ?? {};
  if (!url || !secret) throw new Error('connect answered no webhook');
  return { connectionId: done.connection.id, url, secret };
}

async function story(settings: object): Promise<Story> {
  const service = await startFakeService();
  onTestFinished(() => service.provider.close());
  const app = await useTestApp({ env: { TRIBUTARY_PROVIDER_GENERIC_BASE_URL: service.provider.url } });
  const caller = await app.caller();
  const hook = await connect(caller, settings, service.token);
  await caller.get(VerifyDocument, { connectionId: hook.connectionId });
  return { app, caller, hook, service };
}

function send({ url, secret }: Hook, payload: unknown, id: string = randomUUID()) {
  const body = Buffer.from(JSON.stringify(payload));
  const time = String(Math.floor(Date.now() / 1000));
  const signature = createHmac('sha256', secret).update(`${id}.${time}.`).update(body).digest('hex');
  const proof = { 'x-shop-time': time, 'x-shop-signature': `sha256=${signature}` };
  return post(url, {
    body,
    headers: { 'content-type': 'application/json', 'x-shop-delivery': id, ...proof },
  });
}

/** How long, in ms, a transaction was seen to wait for its client while this work went on. */
async function longestIdle({ database }: TestApp, work: Promise<void>): Promise<number> {
  const over = new AbortController();
  const ended = work.finally(() => over.abort());
  let longest = 0;
  while (!over.signal.aborted) {
    const [row] = await database.query<{ ms: number }>(
      `select coalesce(max(extract(epoch from clock_timestamp() - state_change) * 1000), 0)::float as ms
         from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`,
    );
    longest = Math.max(longest, row!.ms);
  }
  await ended;
  return longest;
}

async function signalsOf(caller: TestCaller) {
  return (await caller.get(SignalsDocument, { first: 100 })).signals.nodes;
}

async function lettersOf(caller: TestCaller) {
  return (await caller.get(DeadLettersDocument, {})).deadLetters.nodes;
}

describe('a mapping', () => {
  it('makes signals of what is sent, as the settings say', async () => {
    const { caller, hook } = await story({ ...shop, mapping: MAPPING });
    const { status, body } = await send(hook, order, 'd-1');
    expect([status, body.signals?.length]).toEqual([202, 1]);
    expect((await send(hook, order, 'd-1')).status).toBe(200);
    expect(await signalsOf(caller)).toMatchObject([
      {
        type: 'record_created',
        occurredAt: '2026-11-20T08:15:30.000Z',
        payload: {
          title: 'A door',
          total: 270,
          heard: 'order.made',
          canonical_keys: { order_id: 'o-1' },
          provider_metadata: { provider_id: 'generic', event_type: 'order.made', delivery_id: 'd-1' },
        },
      },
    ]);
    expect((await send({ ...hook, secret: 'another' }, order)).status).toBe(401);
  });

  it('that makes nothing of an event leaves it a provider_event', async () => {
    const { caller, hook } = await story({ ...shop, mapping: MAPPING });
    await send(hook, { event: 'shop.opened' });
    expect(await signalsOf(caller)).toMatchObject([{ type: 'provider_event' }]);
  });

  it('that fails leaves a dead letter, and the mended one makes its signals', async () => {
    const broken = MAPPING.replace('"record_created"', '"order_made"');
    const { caller, hook } = await story({ ...shop, mapping: broken });
    const { connectionId } = hook;
    const answered = await send(hook, order);
    expect([answered.status, answered.body.signals]).toEqual([202, []]);
    const [letter] = await lettersOf(caller);
    expect(letter).toMatchObject({
      reason: expect.stringMatching(/^MappingError: type: must be one of push/),
    });
    const again = await caller.get(RedriveDocument, { input: { ids: [letter!.id] } });
    expect(again.redrive.letters).toMatchObject([{ outcome: 'FAILED' }]);
    const settings = { ...shop, mapping: MENDED } as never;
    await caller.get(UpdateConnectionDocument, { input: { connectionId, settings } });
    const mended = await caller.get(RedriveDocument, { input: { ids: [letter!.id] } });
    expect(mended.redrive.letters).toMatchObject([{ outcome: 'DONE' }]);
    expect(await signalsOf(caller)).toMatchObject([{ type: 'record_created', payload: { total: 270 } }]);
    expect(await lettersOf(caller)).toEqual([]);
    // And what comes from now on is read by it as well.
    const child = { ...order, order: { ...order.order, id: 'o-2', parent: 'o-1' } };
    await expect.poll(async () => (await send(hook, child)).body.signals?.length).toBe(1);
    expect(await signalsOf(caller)).toMatchObject([{ type: 'record_created' }, { type: 'record_updated' }]);
  });

  it('is used by replays: what a new one makes differently is told first, then written', async () => {
    const { caller, hook } = await story({ ...shop, mapping: MAPPING });
    const { connectionId } = hook;
    await send(hook, order);
    const retitled = MAPPING.replace('order.title', '$uppercase(order.title)');
    const settings = { ...shop, mapping: retitled } as never;
    await caller.get(UpdateConnectionDocument, { input: { connectionId, settings } });
    const span = {
      connectionId,
      from: new Date(0).toISOString(),
      to: new Date(Date.now() + 60_000).toISOString(),
    };
    const dry = await caller.get(ReplaySignalsDocument, { input: span });
    expect(dry.replaySignals.changes).toMatchObject([{ kind: 'CHANGED', fields: ['payload.title'] }]);
    expect(await signalsOf(caller)).toMatchObject([{ payload: { title: 'A door' } }]);
    await caller.get(ReplaySignalsDocument, { input: { ...span, dryRun: false } });
    expect((await signalsOf(caller)).at(-1)).toMatchObject({ payload: { title: 'A DOOR' } });
  });

  it('that fails leaves nothing of the event in the log', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'info' }, { write: (line) => void lines.push(line) });
    const app = await useTestApp({ log });
    const caller = await app.caller();
    for (const mapping of ['$error("heard " & order.title)', '{ "type": order.title }']) {
      const hook = await connect(caller, { ...shop, mapping });
      expect((await send(hook, order)).body.signals).toEqual([]);
    }
    const told = lines.filter((line) => line.includes('mapping failed')).map((line) => JSON.parse(line));
    expect(told).toMatchObject([
      { level: 30, error: 'ExpressionError', code: 'D3137', position: expect.any(Number) },
      { level: 30, error: 'MappingError' },
    ]);
    expect(lines.join('')).not.toContain('A door');
    expect((await lettersOf(caller)).map(({ reason }) => reason).join()).toContain('heard A door');
  });

  it('that takes too long costs its own tenant time, and others nothing', async () => {
    const { app, hook } = await story({ ...shop, mapping: SLOW });
    const other = await app.caller('globex');
    const others = await connect(other, { ...shop, mapping: MAPPING });
    const [bad, good] = await Promise.all([send(hook, EVIL), send(others, order)]);
    expect([bad.status, bad.body.signals]).toEqual([202, []]);
    expect([good.status, good.body.signals?.length]).toEqual([202, 1]);
    const [letter] = await lettersOf(await app.caller());
    expect(letter!.reason).toMatch(/^ExpressionError: It took longer than 500 ms/);
  });

  it('that takes too long keeps no transaction waiting, in a replay or a redrive', async () => {
    const { app, caller, hook } = await story({ ...shop, mapping: SLOW });
    const answers = await Promise.all([send(hook, EVIL), send(hook, EVIL)]);
    const ids = answers.map(({ body }) => body.delivery_id ?? '');
    const window = { from: '2020-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' };
    const replay = { connectionId: hook.connectionId, ...window, dryRun: false };
    const work = async () => {
      const { replaySignals } = await caller.get(ReplaySignalsDocument, { input: replay });
      expect(replaySignals.failures).toHaveLength(2);
      const { redrive } = await caller.get(RedriveDocument, { input: { ids } });
      expect(redrive.letters).toMatchObject([{ outcome: 'FAILED' }, { outcome: 'FAILED' }]);
    };
    // An evaluation takes 500 ms before it is ended.
    expect(await longestIdle(app, work())).toBeLessThan(300);
  });

  it('is refused when it can’t be read, before anything is stored', async () => {
    const app = await useTestApp();
    const caller = await app.caller();
    const input = {
      providerId: 'generic',
      name: 'shop',
      authMethod: 'NONE' as const,
      settings: { mapping: '{ "a": ' },
    };
    const { errors } = await caller.ask(ConnectDocument, { input });
    expect(errors[0]).toMatchObject({ extensions: { code: 'INVALID_INPUT' } });
    expect(errors[0]?.message).toMatch(/^settings\.mapping: .*line 1, column \d+/);
    const undeclared = { actions: { a: { method: 'GET', path: '/{x}' } } };
    const refused = await caller.ask(ConnectDocument, { input: { ...input, settings: undeclared } });
    expect(refused.errors[0]?.message).toBe(
      'settings.actions.a.path: names x, which is no parameter of it; settings.baseUrl: is missing: actions and verify go there',
    );
  });
});

describe('tryMapping', () => {
  async function tried(caller: TestCaller, input: object) {
    const body = JSON.stringify(order);
    const settings = { ...shop, mapping: MAPPING };
    const headers = { 'X-Shop-Delivery': 'd-1' };
    const asked = { input: { settings, headers, body, ...input } as never };
    return (await caller.get(TryMappingDocument, asked)).tryMapping;
  }

  it('shows what would come of a delivery, and stores nothing', async () => {
    const app = await useTestApp();
    const caller = await app.caller();
    expect(await tried(caller, {})).toMatchObject({
      eventId: 'd-1',
      eventType: 'order.made',
      signals: [{ type: 'record_created', identity: 'order:o-1', payload: { total: 270 } }],
      problems: [],
    });
    for (const table of ['deliveries', 'signals', 'connections', 'receipts']) {
      expect(await app.database.query(`select * from ${table}`)).toEqual([]);
    }
  });

  it('tells what is wrong, and where', async () => {
    const app = await useTestApp();
    const caller = await app.caller();
    const syntax = await tried(caller, { settings: { ...shop, mapping: '{\n "type": \n}' } });
    expect(syntax).toMatchObject({ eventId: null, problems: [{ path: 'settings.mapping' }] });
    const evaluated = await tried(caller, { settings: { ...shop, mapping: '(\n $number(event))' } });
    expect(evaluated.problems).toMatchObject([
      { path: 'settings.mapping', line: 2, column: expect.any(Number) },
    ]);
    const made = await tried(caller, { settings: { ...shop, mapping: '[{ "type": "push" }]' } });
    expect(made.problems).toMatchObject([{ path: '[0].id', line: null }]);
    const inMillis = MAPPING.replace('"occurredAt": at', '"occurredAt": $toMillis(at)');
    const late = await tried(caller, { settings: { ...shop, mapping: inMillis } });
    expect(late.problems).toMatchObject([
      { path: 'occurredAt', problem: expect.stringContaining('$fromMillis') },
    ]);
    const unread = await tried(caller, { body: 'not json' });
    expect(unread).toMatchObject({ eventId: null, problems: [{ path: 'body' }] });
    const unnamed = await tried(caller, { headers: {} });
    expect(unnamed.problems).toMatchObject([
      { path: 'body', problem: expect.stringContaining('x-shop-delivery') },
    ]);
  });

  it('is for admins, and for providers that map', async () => {
    const app = await useTestApp();
    const reader = await app.caller('acme', 'integrations:read');
    const input = { settings: {}, body: '{}' };
    expect((await reader.ask(TryMappingDocument, { input })).errors[0]?.extensions.code).toBe('FORBIDDEN');
    const admin = await app.caller();
    const other = { ...input, providerId: 'github' };
    expect((await admin.ask(TryMappingDocument, { input: other })).errors[0]?.extensions.code).toBe(
      'UNSUPPORTED',
    );
  });
});

describe('a declared action', () => {
  it('is carried out once, and refused before it begins when its parameters are not as declared', async () => {
    const { caller, hook, service } = await story(shop);
    const { connectionId } = hook;
    const custom = { name: 'make_order', parameters: { shop: 'north', sku: 'door', count: 2 } };
    const input = { connectionId, idempotencyKey: 'k-1', action: { custom } };
    for (const _ of [1, 2]) {
      const { executeAction } = await caller.get(ExecuteActionDocument, { input });
      expect(executeAction).toMatchObject({
        status: 'SUCCEEDED',
        result: { externalId: 'order-1', output: { status: 201 } },
      });
    }
    expect(service.provider.effects.get('order')).toBe(1);
    const wrong = { ...custom, parameters: { shop: 'north', count: 'two' } };
    const { errors } = await caller.ask(ExecuteActionDocument, {
      input: { ...input, idempotencyKey: 'k-2', action: { custom: wrong } },
    });
    expect(errors[0]?.message).toMatch(/action\.custom\.parameters\.sku: is missing/);
    expect(service.provider.effects.get('order')).toBe(1);
  });
});

describe('a secret that the sender has made', () => {
  it('takes the place of ours, which goes on counting for the overlap', async () => {
    const { caller, hook } = await story({ ...shop, mapping: MAPPING });
    const input = { connectionId: hook.connectionId, what: 'WEBHOOK_SECRET' as const };
    const theirs = { ...hook, secret: 'made by the shop itself' };
    const rotated = await caller.get(RotateDocument, { input: { ...input, webhookSecret: theirs.secret } });
    expect(rotated.rotate.webhook).toMatchObject({ url: hook.url, secret: null });
    await expect.poll(async () => (await send(theirs, order)).status).toBe(202);
    expect((await send(hook, order)).status).toBe(202);
    const misplaced = { ...input, what: 'WEBHOOK_TOKEN' as const, webhookSecret: theirs.secret };
    const { errors } = await caller.ask(RotateDocument, { input: misplaced });
    expect(errors[0]).toMatchObject({ extensions: { code: 'INVALID_INPUT' } });
  });

  it('is what OpenAI’s webhooks are verified by: ours is neither shown nor taken', async () => {
    const app = await useTestApp();
    const caller = await app.caller();
    const credential = { apiKey: 'not-checked' };
    const input = { providerId: 'openai', name: 'ai', authMethod: 'API_KEY' as const, credential };
    const { connect: made } = await caller.get(ConnectDocument, { input });
    expect(made.webhook).toMatchObject({
      secret: null,
      instructions: expect.stringContaining('webhookSecret'),
    });
    const what = { connectionId: made.connection.id, what: 'WEBHOOK_SECRET' as const };
    const without = await caller.ask(RotateDocument, { input: what });
    expect(without.errors[0]?.message).toMatch(/^webhookSecret: is needed: OpenAI makes it/);
    const key = Buffer.from('k'.repeat(32));
    await caller.get(RotateDocument, {
      input: { ...what, webhookSecret: `whsec_${key.toString('base64')}` },
    });
    const body = Buffer.from(
      JSON.stringify({
        id: 'evt_1',
        type: 'batch.completed',
        created_at: 1_719_168_000,
        data: { id: 'batch_1' },
      }),
    );
    const time = String(Math.floor(Date.now() / 1000));
    const digest = createHmac('sha256', key).update(`wh_1.${time}.`).update(body).digest('base64');
    const headers = {
      'content-type': 'application/json',
      'webhook-id': 'wh_1',
      'webhook-timestamp': time,
      'webhook-signature': `v1,${digest}`,
    };
    expect((await post(made.webhook!.url, { body, headers })).status).toBe(202);
    expect(await signalsOf(caller)).toMatchObject([{ type: 'build_finished' }]);
  });
});
