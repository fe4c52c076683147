import type { ProviderCatalog } from '../connection/catalog.js';
import {
  type Connector,
  type JsonObject,
  MalformedDelivery,
  type ProviderEvent,
  type RawDelivery,
  type UnsignedRequest,
  type Webhook,
} from '../connector/index.js';
import { acceptsWebhooks } from '../connection/status.js';
import { takesApps } from '../connection/webhook-endpoint.js';
import { TributaryError } from '../core/errors.js';
import type { Metrics } from '../core/metrics.js';
import { type Limiter, requirePoint } from '../outbound/limiter.js';
import type { Bodies } from '../signal/body.js';
import { type EntryDeps, sealEntry, toBodilessEntry, toDeadLetter } from '../signal/entry.js';
import { type Appended, type Journal, type JournalEntry, refusalOf } from '../signal/journal.js';
import { redact } from '../signal/redact.js';
import { DECODED, decodeJson, requireReasonable } from './decode.js';
import { type Endpoint, type Endpoints, type Target, secretsAt } from './endpoint.js';
import { type HandshakeDeps, takeSecret, toHandshakeReply } from './handshake.js';
import { type WebhookReply, toReply } from './reply.js';

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
  /** The reply to a handshake that nobody signs; null: it is none. Throws MALFORMED_REQUEST. */
  greet(admission: Admission, request: UnsignedRequest): WebhookReply | null;
  /**
   * Resolves once delivery and signals are committed, for every connection it is for. Throws INVALID_SIGNATURE,
   * MALFORMED_REQUEST, RATE_LIMITED or STORAGE_UNAVAILABLE: then nothing was stored, or not all of what an app sent for several
   * connections, and what was is recognised when it is sent again.
   */
  receive(admission: Admission, delivery: RawDelivery): Promise<WebhookReply>;
}

export interface ReceiverDeps extends HandshakeDeps, EntryDeps {
  readonly bodies: Bodies;
  readonly catalog: ProviderCatalog;
  readonly endpoints: Endpoints;
  readonly journal: Journal;
  /** By connection, whichever address its webhooks come to. */
  readonly limiter: Limiter;
  /** By an app's address, which may be that of many tenants: before its signature is looked at, so by far the larger. */
  readonly appLimiter: Limiter;
  readonly metrics: Metrics;
}

/** A connector that has the receiving side. */
type Receiving = Connector & Required<Pick<Connector, 'webhook' | 'normalize'>>;

export function createWebhookReceiver(deps: ReceiverDeps): WebhookReceiver {
  const { catalog, endpoints, journal, limiter, appLimiter, log, metrics } = deps;

  /** What the database refuses would be refused as often as it is sent: it is kept without its signals. */
  async function append(entry: JournalEntry): Promise<Appended> {
    const { provider_id: provider, connection_id: connectionId, event_id: eventId, failure } = entry.delivery;
    try {
      const appended = await journal.append(entry);
      count(metrics, provider, entry, appended);
      return appended;
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined || failure !== undefined) throw error;
      log.error({ connectionId, eventId, refusal }, 'an event was refused by the database');
      return append(toDeadLetter(entry, refusal));
    }
  }

  async function requireRate({ kind, id }: Endpoint): Promise<void> {
    const waitMs = await (kind === 'APP' ? appLimiter : limiter).take(id);
    requirePoint(waitMs, 'More webhooks come to this address than this server takes.');
  }

  return {
    takesFrom(providerId) {
      const connector = catalog.find(providerId);
      return connector !== undefined && isReceiving(connector);
    },
    async admit(providerId, token, now) {
      const connector = catalog.find(providerId);
      const endpoint = connector && isReceiving(connector) && (await endpoints.find(providerId, token));
      const isServed = endpoint && (endpoint.kind === 'CONNECTION' || takesApps(connector));
      if (!isServed || isOver(endpoint, now)) {
        throw new TributaryError('NOT_FOUND', 'There is no webhook endpoint at this address.');
      }
      requireAccepting(endpoint);
      await requireRate(endpoint);
      return { connector, endpoint };
    },
    greet({ connector }, request) {
      const answer = connector.webhook.handshake?.unsigned?.(request);
      return answer ? toHandshakeReply(answer) : null;
    },
    async receive({ connector, endpoint }, delivery) {
      const { webhook } = connector;
      if (!isSigned(webhook, delivery, endpoint)) {
        return (await takeSecret(deps, webhook, endpoint, delivery)) ?? refuse();
      }
      // The parsed body stays behind in there: it must not live as long as the flush.
      const read = await readDelivery(deps, connector, endpoint, delivery);
      if (!('entries' in read)) return read;
      const appended = await Promise.all(read.entries.map(append));
      requirePoint(read.waitMs, 'More webhooks come for a connection than this server takes.');
      return toReply(webhook, appended);
    },
  };
}

/** What a delivery is to the journal: an entry for each connection that it is for. */
interface ReadDelivery {
  readonly entries: readonly JournalEntry[];
  /** Until those that had their fill, and have no entry here, may have this delivery; 0 where there are none. */
  readonly waitMs: number;
}

/** What a signed delivery is: entries for the journal; or a handshake, and its reply. */
async function readDelivery(
  deps: ReceiverDeps,
  connector: Receiving,
  endpoint: Endpoint,
  delivery: RawDelivery,
): Promise<WebhookReply | ReadDelivery> {
  const { webhook, manifest } = connector;
  const body = refusing(() => decode(webhook, delivery));
  const answer = webhook.handshake?.signed?.(delivery, body);
  if (answer) return toHandshakeReply(answer);
  const event = refusing(() => toEvent(webhook, delivery, body, endpoint.settings));
  const targets = await targetsOf(deps, connector, endpoint, delivery, body);
  if (targets.length === 0) deps.metrics.unroutedDeliveries.inc({ provider: manifest.id });
  const { served, waitMs } = await serve(deps, endpoint, targets);
  const entries = served.map((target) => toEntry(deps, connector, target, delivery, event));
  return { entries: await Promise.all(entries), waitMs };
}

/** An app's delivery takes a point of each connection that it is for. Who has none left keeps it from no other. */
async function serve({ limiter }: ReceiverDeps, { kind }: Endpoint, targets: readonly Target[]) {
  // At its own address the connection gave its point before the body was read.
  if (kind === 'CONNECTION') return { served: targets, waitMs: 0 };
  const waits = await Promise.all(targets.map(({ connectionId }) => limiter.take(connectionId)));
  return { served: targets.filter((_, index) => waits[index] === 0), waitMs: Math.max(0, ...waits) };
}

async function targetsOf(
  { endpoints }: ReceiverDeps,
  { webhook, manifest }: Receiving,
  endpoint: Endpoint,
  delivery: RawDelivery,
  body: unknown,
): Promise<readonly Target[]> {
  const { kind, tenantId, id, settings } = endpoint;
  if (kind === 'CONNECTION') return [{ tenantId, connectionId: id, settings }];
  const { routesOf, accountOf } = webhook;
  const names = routesOf ? routesOf(delivery, body) : [accountOf?.(delivery, body) ?? []].flat();
  const find = routesOf ? endpoints.findRegistered : endpoints.findTargets;
  const wanted = [...new Set(names)].filter(Boolean).slice(0, MAX_NAMES);
  const found = await Promise.all(wanted.map((name) => find(manifest.id, endpoint, name)));
  return [...new Map(found.flat().map((target) => [target.connectionId, target])).values()];
}

/** Of accounts or registrations: each is looked up by itself. */
const MAX_NAMES = 100;

function isReceiving(connector: Connector): connector is Receiving {
  return connector.webhook !== undefined && connector.normalize !== undefined;
}

/** Found by a token that was rotated away, and whose time is over. */
function isOver({ tokenUntil }: Endpoint, now: Date): boolean {
  return tokenUntil !== null && now >= tokenUntil;
}

function requireAccepting({ status }: Endpoint): void {
  if (status === null || acceptsWebhooks(status)) return;
  throw new TributaryError('CONNECTION_NOT_READY', `This connection is ${status} and takes no webhooks.`, {
    status,
  });
}

function isSigned(webhook: Webhook, delivery: RawDelivery, endpoint: Endpoint): boolean {
  const secrets = secretsAt(endpoint, delivery.receivedAt);
  return secrets.length > 0 && webhook.verify(delivery, secrets, endpoint.settings);
}

/** One answer for a missing, a wrong and a stale signature: whoever guesses learns nothing. */
function refuse(): never {
  throw new TributaryError('INVALID_SIGNATURE', 'The signature is missing, wrong or stale.');
}

function decode(webhook: Webhook, delivery: RawDelivery): unknown {
  const body = webhook.decode ? webhook.decode(delivery) : decodeJson(delivery);
  requireReasonable(body);
  return body;
}

function toEvent(
  webhook: Webhook,
  delivery: RawDelivery,
  body: unknown,
  settings: JsonObject,
): ProviderEvent {
  const identity = webhook.identify(delivery, body, settings);
  if (identity.id.length < 1 || identity.id.length > 255) {
    throw new MalformedDelivery('The delivery’s id must have 1 to 255 characters.');
  }
  return { ...identity, body, receivedAt: delivery.receivedAt };
}

/** Answers 400 where the work finds the delivery malformed. */
function refusing<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof MalformedDelivery)) throw error;
    throw new TributaryError('MALFORMED_REQUEST', error.message, {}, { cause: error });
  }
}

async function toEntry(
  deps: ReceiverDeps,
  connector: Receiving,
  target: Target,
  delivery: RawDelivery,
  event: ProviderEvent,
): Promise<JournalEntry> {
  const body = redact(event.body, connector.manifest.redact);
  if (body === event.body) {
    const type = delivery.headers['content-type'] ?? '';
    const entry = await toBodilessEntry(deps, connector, target, event, type);
    return sealEntry(deps.bodies, entry, delivery.body);
  }
  const entry = await toBodilessEntry(deps, connector, target, { ...event, body }, DECODED);
  return sealEntry(deps.bodies, entry, Buffer.from(JSON.stringify(body)));
}

function count(
  metrics: Metrics,
  provider: string,
  { delivery, signals }: JournalEntry,
  { isDuplicate }: Appended,
): void {
  if (isDuplicate) metrics.duplicates.inc({ provider });
  else if (delivery.failure) metrics.deadLetters.inc({ provider });
  else {
    metrics.signals.inc({ provider }, signals.length);
    metrics.countTenant(delivery.tenant_id, 'signal', signals.length);
  }
}
