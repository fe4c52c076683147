import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  type JsonObject,
  MalformedDelivery,
  type ProviderEvent,
  type RawDelivery,
  type Webhook,
} from '../../src/connector/index.js';
import type { ConformanceSubject, Unsigned, WebhookSubject } from './subject.js';
import { Secret } from '../../src/core/secret.js';

/** A recorded webhook: `<event>.json` as it came, `<event>.headers.json`, and what it must become. */
export interface Fixture extends Unsigned {
  readonly name: string;
  /** Of `<event>.signals.json`; undefined when there is no such file yet. */
  readonly signals: unknown;
}

/** Fixtures are received at this moment; signals may show it where the provider tells no time. */
export const RECEIVED_AT = new Date('2026-01-02T03:04:05.678Z');

export function folderOf(connector: string): string {
  return join(import.meta.dirname, '../../connectors', connector);
}

/** All fixtures of a connector's folder, by name. Throws when there is none: an empty suite proves nothing. */
export function loadFixtures(connector: string): readonly Fixture[] {
  const folder = join(folderOf(connector), 'fixtures');
  const names = readdirSync(folder)
    .filter((file) => file.endsWith('.json') && !/\.(headers|signals)\.json$/.test(file))
    .map((file) => basename(file, '.json'));
  if (names.length === 0) throw new Error(`connectors/${connector}/fixtures holds no <event>.json`);
  return names.map((name) => ({
    name,
    body: readFileSync(join(folder, `${name}.json`)),
    headers: (readJson(join(folder, `${name}.headers.json`)) ?? {}) as Record<string, string>,
    signals: readJson(join(folder, `${name}.signals.json`)),
  }));
}

function readJson(path: string): unknown {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

export interface WebhookParts {
  readonly webhook: Webhook;
  readonly scheme: WebhookSubject;
}

/** Throws for a connector that receives webhooks and a subject that can't send them. */
export function requireWebhook({ connector, webhook: scheme }: ConformanceSubject): WebhookParts {
  if (!connector.webhook || !scheme)
    throw new Error(`${connector.manifest.id}: the subject lacks its webhook part`);
  return { webhook: connector.webhook, scheme };
}

/** A secret as the provider gives it out. */
export function secretOf({ secret }: WebhookSubject, seed: string): Secret {
  return new Secret(secret?.(seed) ?? `whsec ${seed} 0123456789abcdef`);
}

/** Body and name of a delivery, as the core reads them. */
export function readEvent(webhook: Webhook, delivery: RawDelivery, settings?: JsonObject): ProviderEvent {
  const body = webhook.decode ? webhook.decode(delivery) : decodeJson(delivery.body);
  return { ...webhook.identify(delivery, body, settings), body, receivedAt: delivery.receivedAt };
}

/** The event of a fixture, on the way every delivery takes. */
export function eventOf(subject: ConformanceSubject, unsigned: Unsigned): ProviderEvent {
  const { webhook, scheme } = requireWebhook(subject);
  const delivery = scheme.sign(unsigned, secretOf(scheme, 'current'), RECEIVED_AT);
  return readEvent(webhook, delivery, subject.provider.settings);
}

function decodeJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new MalformedDelivery('The body is not JSON.', { cause });
  }
}
