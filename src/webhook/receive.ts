import type { ProviderCatalog } from '../connection/catalog.js';
import {
  type Connector,
  MalformedDelivery,
  type ProviderEvent,
  type RawDelivery,
  type Webhook,
} from '../connector/index.js';
import { TributaryError } from '../core/errors.js';
import type { Log } from '../core/log.js';
import type { Metrics } from '../core/metrics.js';
import type { Vault } from '../credential/vault.js';
import type { Limiter } from '../outbound/limiter.js';
import { sealEntry, toBodilessEntry } from '../signal/entry.js';
import type { SignalOrigin } from '../signal/envelope.js';
import type { Appended, Journal, JournalEntry } from '../signal/journal.js';
import { redact } from '../signal/redact.js';
import { DECODED, decodeJson, requireReasonable } from './decode.js';
import { type Endpoint, type Endpoints, secretsAt } from './endpoint.js';

/** A request that may send its body: to a known endpoint, which takes it, at a rate it may have. */
export interface Admission {
  readonly connector: Receiving;
  readonly endpoint: Endpoint;
}

/** Takes providers' webhooks, in two steps: what an address alone decides comes before the body is read. */
export interface WebhookReceiver {
  /** Whether there is such a provider and it sends webhooks. */
  takesFrom(providerId: string): boolean;
  /** Throws NOT_FOUND (unknown token or provider), CONNECTION_NOT_READY or RATE_LIMITED. */
  admit(providerId: string, token: string, now: Date): Promise<Admission>;
  /**
   * Resolves once delivery and signals are committed. Throws INVALID_SIGNATURE, MALFORMED_REQUEST or
   * STORAGE_UNAVAILABLE; whichever it throws, nothing was stored.
   */
  receive(admission: Admission, delivery: RawDelivery): Promise<Appended>;
}

export interface ReceiverDeps {
  readonly catalog: ProviderCatalog;
  readonly endpoints: Endpoints;
  readonly journal: Journal;
  readonly limiter: Limiter;
  readonly vault: Vault;
  readonly environment: SignalOrigin['environment'];
  readonly log: Log;
  readonly metrics: Metrics;
}

/** A connector that has the receiving side. */
type Receiving = Connector & Required<Pick<Connector, 'webhook' | 'normalize'>>;

export function createWebhookReceiver(deps: ReceiverDeps): WebhookReceiver {
  const { catalog, endpoints, journal, limiter, metrics } = deps;

  async function requireRate({ connectionId }: Endpoint): Promise<void> {
    const waitMs = await limiter.take(connectionId);
    if (waitMs === 0) return;
    throw new TributaryError('RATE_LIMITED', 'This connection sends more webhooks than this server takes.', {
      retry_after_seconds: Math.ceil(waitMs / 1000),
    });
  }

  return {
    takesFrom(providerId) {
      const connector = catalog.find(providerId);
      return connector !== undefined && isReceiving(connector);
    },
    async admit(providerId, token, now) {
      const connector = catalog.find(providerId);
      const endpoint = connector && isReceiving(connector) && (await endpoints.find(providerId, token));
      if (!endpoint || isOver(endpoint, now)) {
        throw new TributaryError('NOT_FOUND', 'There is no webhook endpoint at this address.');
      }
      requireAccepting(endpoint);
      await requireRate(endpoint);
      return { connector, endpoint };
    },
    async receive({ connector, endpoint }, delivery) {
      requireSignature(connector.webhook, delivery, endpoint);
      // The parsed body stays behind in there: it must not live as long as the flush.
      const entry = await toEntry(deps, connector, endpoint, delivery);
      const appended = await journal.append(entry);
      count(metrics, connector.manifest.id, entry, appended);
      return appended;
    },
  };
}

function isReceiving(connector: Connector): connector is Receiving {
  return connector.webhook !== undefined && connector.normalize !== undefined;
}

/** Found by a token that was rotated away, and whose time is over. */
function isOver({ tokenUntil }: Endpoint, now: Date): boolean {
  return tokenUntil !== null && now >= tokenUntil;
}

function requireAccepting({ isAccepting, status }: Endpoint): void {
  if (isAccepting) return;
  throw new TributaryError('CONNECTION_NOT_READY', `This connection is ${status} and takes no webhooks.`, {
    status,
  });
}

/** One answer for a missing, a wrong and a stale signature: whoever guesses learns nothing. */
function requireSignature(webhook: Webhook, delivery: RawDelivery, endpoint: Endpoint): void {
  const secrets = secretsAt(endpoint, delivery.receivedAt);
  if (secrets.length > 0 && webhook.verify(delivery, secrets)) return;
  throw new TributaryError('INVALID_SIGNATURE', 'The signature is missing, wrong or stale.');
}

function toEvent(webhook: Webhook, delivery: RawDelivery): ProviderEvent {
  try {
    const body = webhook.decode ? webhook.decode(delivery) : decodeJson(delivery);
    requireReasonable(body);
    const identity = webhook.identify(delivery, body);
    if (identity.id.length < 1 || identity.id.length > 255) {
      throw new MalformedDelivery('The delivery’s id must have 1 to 255 characters.');
    }
    return { ...identity, body, receivedAt: delivery.receivedAt };
  } catch (error) {
    if (!(error instanceof MalformedDelivery)) throw error;
    throw new TributaryError('MALFORMED_REQUEST', error.message, {}, { cause: error });
  }
}

async function toEntry(
  deps: ReceiverDeps,
  connector: Receiving,
  endpoint: Endpoint,
  delivery: RawDelivery,
): Promise<JournalEntry> {
  const event = toEvent(connector.webhook, delivery);
  const body = redact(event.body, connector.manifest.redact);
  if (body === event.body) {
    const entry = toBodilessEntry(deps, connector, endpoint, event, delivery.headers['content-type'] ?? '');
    return sealEntry(deps.vault, entry, delivery.body);
  }
  const entry = toBodilessEntry(deps, connector, endpoint, { ...event, body }, DECODED);
  return sealEntry(deps.vault, entry, Buffer.from(JSON.stringify(body)));
}

function count(
  metrics: Metrics,
  provider: string,
  { delivery, signals }: JournalEntry,
  { isDuplicate }: Appended,
): void {
  if (isDuplicate) metrics.duplicates.inc({ provider });
  else if (delivery.failure) metrics.deadLetters.inc({ provider });
  else metrics.signals.inc({ provider }, signals.length);
}
