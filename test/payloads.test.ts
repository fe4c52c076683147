import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConnectDocument, RotateDocument } from '../schema/generated/operations.js';
import type { RawDelivery } from '../src/connector/index.js';
import { Secret } from '../src/core/secret.js';
import { secretOf } from './conformance/fixtures.js';
import type { ConformanceSubject, Unsigned, WebhookSubject } from './conformance/subject.js';
import { type TestApp, type TestCaller, startTestApp } from './support/app.js';
import { type WebhookAnswer, post } from './support/github.js';

// Recorded at the providers by others and published by them; not ours to publish again, so they are read where they are.
const root =
  process.env['TRIBUTARY_PAYLOADS'] ?? join(import.meta.dirname, '../../shared/reference/payloads');
const subjects = join(import.meta.dirname, 'conformance/subjects');

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

interface Hook {
  readonly connectionId: string;
  readonly url: string;
  readonly secret: Secret;
}

/** What we said of a delivery. Where the provider is answered nothing, what the journal has as the newest. */
async function toldOf({ body }: WebhookAnswer, { connectionId }: Hook, isSilent: boolean) {
  if (!isSilent) return body;
  const select = `select id as delivery_id, signal_ids as signals from deliveries
                  where connection_id = $1 order by received_at desc, id desc limit 1`;
  const [newest] = await app.database.query<WebhookAnswer['body']>(select, [connectionId]);
  return newest ?? body;
}

/** A connection as its provider's fake would have it; nobody is called. */
async function connect(
  caller: TestCaller,
  { connector, provider, polling, webhook }: ConformanceSubject,
): Promise<Hook> {
  const clock = { now: () => new Date() };
  const fake = await provider.start(clock);
  await fake.provider.close();
  const { id: providerId, authMethods } = connector.manifest;
  const authMethod = authMethods.find((method) => ['API_KEY', 'BEARER', 'BASIC', 'NONE'].includes(method))!;
  const credential = Object.fromEntries(
    Object.entries(fake.credential).map(([name, secret]) => [name, secret.reveal()]),
  );
  const settings = { ...provider.settings, ...polling?.settings };
  const input = { providerId, name: randomUUID(), authMethod, credential, settings };
  const { connection, webhook: setup } = (await caller.get(ConnectDocument, { input })).connect;
  const connectionId = connection.id;
  if (setup?.secret) return { connectionId, url: setup.url, secret: new Secret(setup.secret) };
  const theirs = secretOf(webhook!, 'payloads');
  const rotation = {
    connectionId,
    what: 'WEBHOOK_SECRET',
    webhookSecret: theirs.reveal(),
  } as const;
  await caller.get(RotateDocument, { input: rotation });
  return { connectionId, url: setup!.url, secret: theirs };
}

const send = (url: string, { headers, body }: RawDelivery): Promise<WebhookAnswer> =>
  post(url, { body, headers: headers as Record<string, string> });

function toRequest({ payload }: WebhookSubject, file: string, body: Buffer): Unsigned {
  return payload?.(file, body) ?? { headers: { 'content-type': 'application/json' }, body };
}

function altered(delivery: RawDelivery): RawDelivery {
  const body = Buffer.from(delivery.body);
  const middle = body.length >> 1;
  body[middle] = (body[middle] ?? 0) ^ 1;
  return { ...delivery, body };
}

async function findSubject(provider: string): Promise<ConformanceSubject | undefined> {
  const path = join(subjects, `${provider}.ts`);
  return existsSync(path) ? ((await import(path)) as { subject: ConformanceSubject }).subject : undefined;
}

const recorded = existsSync(root)
  ? readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
  : [];
const found = await Promise.all(recorded.map(async (name) => ({ name, subject: await findSubject(name) })));

it.skipIf(recorded.length > 0)(
  'there are no recorded payloads: TRIBUTARY_PAYLOADS names the folder to look in',
  () => {
    expect(recorded).toEqual([]);
  },
);

describe.each(found)('recorded payloads of $name', ({ name, subject }) => {
  const scheme = subject?.webhook;
  const files = readdirSync(join(root, name), { recursive: true, encoding: 'utf8' });
  let hook: Hook;

  // oxlint-disable-next-line vitest/valid-title -- it is one of two texts
  describe.skipIf(!scheme)(scheme ? 'are taken' : 'wait for a connector that takes them', () => {
    beforeAll(async () => {
      hook = await connect(await app.caller(`payloads-${name}`), subject!);
    });

    it.each(files.filter((file) => file.endsWith('.json')))(
      '%s: once, as signals, and not with a byte changed',
      async (file) => {
        const unsigned = toRequest(scheme!, file, readFileSync(join(root, name, file)));
        const delivery = scheme!.sign(unsigned, hook.secret, new Date());
        // What a scheme of plain tokens does not vouch for, it can't refuse.
        const refused = scheme!.signs.includes('body')
          ? (await send(hook.url, altered(delivery))).status
          : 401;
        expect(refused).toBe(401);
        const { answer } = subject!.connector.webhook!;
        const first = await send(hook.url, delivery);
        const told = await toldOf(first, hook, answer !== undefined);
        expect([first.status, told]).toEqual([
          answer?.status ?? 202,
          { delivery_id: expect.any(String), signals: expect.any(Array) },
        ]);
        expect(told.signals).not.toEqual([]);
        const again = await send(hook.url, delivery);
        expect([again.status, await toldOf(again, hook, answer !== undefined)]).toEqual([200, told]);
      },
    );
  });
});
