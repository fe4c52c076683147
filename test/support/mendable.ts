import { createHmac, randomUUID } from 'node:crypto';
import { example } from '../../connectors/example/index.js';
import type { Connector, Manifest, ProviderEvent, SignalDraft } from '../../src/connector/index.js';
import type { TestCaller } from './app.js';
import { type Hook, type WebhookAnswer, post } from './github.js';
import { ConnectDocument } from '../../schema/generated/operations.js';

const unchanged = (drafts: readonly SignalDraft[]): readonly SignalDraft[] => drafts;

type Normalize = NonNullable<Connector['normalize']>;

/** The example connector, with a mapper that can be broken and mended while everything runs. */
export interface Mendable {
  readonly connector: Connector;
  /** From now on events are mapped so; it is given what the example makes of the event. */
  map(mapper: (drafts: readonly SignalDraft[], event: ProviderEvent) => readonly SignalDraft[]): void;
}

export function createMendable(manifest: Partial<Manifest> = {}): Mendable {
  const normalize: Normalize = example.normalize ?? (() => []);
  let mapper: Parameters<Mendable['map']>[0] = unchanged;
  return {
    connector: {
      ...example,
      manifest: { ...example.manifest, ...manifest },
      normalize: (event) => mapper(normalize(event), event),
    },
    map: (next) => void (mapper = next),
  };
}

/** Fails for events about issues with this key. */
export function failFor(key: string): Parameters<Mendable['map']>[0] {
  return (drafts) => {
    if (drafts.some(({ canonicalKeys }) => canonicalKeys['issue_key'] === key))
      throw new TypeError(`${key} is too much`);
    return drafts;
  };
}

export async function connectExample(caller: TestCaller, token = 'not checked'): Promise<Hook> {
  const input = { providerId: 'example', name: randomUUID(), authMethod: 'BEARER', credential: { token } };
  const { connect } = await caller.get(ConnectDocument, { input: input as never });
  const { url, secret } = connect.webhook ?? {};
  if (!url || !secret) throw new Error('connect answered no webhook');
  return { connectionId: connect.connection.id, url, secret };
}

/** Tells that an issue was created; the same key twice is the same event, by two deliveries. */
export function sendIssue(
  hook: Hook,
  key: string,
  deliveryId: string = randomUUID(),
  at = new Date(),
): Promise<WebhookAnswer> {
  const event = {
    type: 'issue.created',
    occurred_at: '2026-01-02T03:04:05Z',
    project: 'DEMO',
    actor: { id: 'usr_7', name: 'Ada' },
    issue: {
      id: `iss_${key}`,
      key,
      title: `About ${key}`,
      state: 'open',
      url: `https://example.com/${key}`,
    },
  };
  return sendEvent(hook, event, deliveryId, at);
}

/** Tells of an event as the example does, signed. */
export function sendEvent(
  { url, secret }: Pick<Hook, 'url' | 'secret'>,
  event: object,
  deliveryId: string = randomUUID(),
  at = new Date(),
): Promise<WebhookAnswer> {
  const body = Buffer.from(JSON.stringify(event));
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const hmac = createHmac('sha256', secret).update(`${deliveryId}.${timestamp}.`).update(body);
  const headers = {
    'content-type': 'application/json',
    'example-delivery': deliveryId,
    'example-timestamp': timestamp,
    'example-signature': `v1=${hmac.digest('hex')}`,
  };
  return post(url, { body, headers });
}
