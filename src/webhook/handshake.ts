import { LockMode } from '@mikro-orm/postgresql';
import { v7 as uuidV7 } from 'uuid';
import { changeConnection } from '../connection/change.js';
import { WebhookEndpoint } from '../connection/connection.entity.js';
import { WebhookApp } from '../connection/webhook-app.entity.js';
import { type HandshakeAnswer, type RawDelivery, type Webhook } from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import { TributaryError } from '../core/errors.js';
import type { Vault } from '../credential/vault.js';
import { addReceipt } from '../receipt/log.js';
import { decodeJson, requireReasonable } from './decode.js';
import type { Endpoint } from './endpoint.js';
import type { WebhookReply } from './reply.js';

export interface HandshakeDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly vault: Vault;
}

/** What a provider sends to hand a secret out is a few dozen bytes; nothing larger is parsed before it is verified. */
const MAX_UNVERIFIED_BYTES = 4 * 1024;
/** Shorter ones could be guessed, and no provider gives such out. */
const MIN_SECRET = 16;
const MAX_SECRET = 2_000;
/** Challenges are random words; whoever sends more wants something else repeated in our name. */
const MAX_ANSWER = 1_024;

/** The reply to a handshake. Text that repeats what was sent must be harmless wherever it is shown. */
export function toHandshakeReply(answer: HandshakeAnswer): WebhookReply {
  const text = 'text' in answer ? answer.text : JSON.stringify(answer.json);
  // oxlint-disable-next-line no-control-regex -- these are what must not be repeated
  if (text.length > MAX_ANSWER || /[\u0000-\u001f\u007f]/.test(text)) {
    throw new TributaryError('MALFORMED_REQUEST', 'The challenge is too long, or holds control characters.');
  }
  return 'text' in answer ? { status: 200, text } : { status: 200, json: answer.json };
}

/**
 * Takes the secret that the provider hands out, where the address waits for one; null where it does not, or this is no
 * such request. The first one counts: another is taken only after the admin has rotated the secret.
 */
export async function takeSecret(
  deps: HandshakeDeps,
  webhook: Webhook,
  endpoint: Endpoint,
  delivery: RawDelivery,
): Promise<WebhookReply | null> {
  if (endpoint.handshake !== 'AWAITED' || !webhook.handshake?.secretOf) return null;
  const body = readSmall(delivery);
  const secret = body === undefined ? undefined : webhook.handshake.secretOf(body);
  if (!secret || secret.length < MIN_SECRET || secret.length > MAX_SECRET) return null;
  const isTaken = await (endpoint.kind === 'APP' ? keepForApp : keepForConnection)(deps, endpoint, secret);
  return isTaken ? { status: 200 } : null;
}

/** Undefined for everything that is no small JSON object. */
function readSmall(delivery: RawDelivery): unknown {
  if (delivery.body.length > MAX_UNVERIFIED_BYTES) return undefined;
  try {
    const body = decodeJson(delivery);
    requireReasonable(body);
    return body;
  } catch {
    return undefined; // Not told apart from a wrong signature: whoever guesses learns nothing.
  }
}

function keepForConnection(
  deps: HandshakeDeps,
  { tenantId, id }: Endpoint,
  secret: string,
): Promise<boolean> {
  return changeConnection(deps, systemOf(tenantId), id, async ({ transaction, now, attest }) => {
    const endpoint = await transaction.findOne(WebhookEndpoint, { connectionId: id, handshake: 'AWAITED' });
    if (!endpoint) return false;
    endpoint.sealedSecret = await deps.vault.seal(secret, { tenantId, id, field: 'webhook_secret' });
    endpoint.secretCreatedAt = now;
    endpoint.handshake = 'RECEIVED';
    attest('webhook_handshake', 'SUCCESS', {}, {});
    return true;
  });
}

function keepForApp(
  { db, clock, vault }: HandshakeDeps,
  { tenantId, id }: Endpoint,
  secret: string,
): Promise<boolean> {
  return db.for({ tenantId }).transactional(async (transaction) => {
    const lock = { lockMode: LockMode.PESSIMISTIC_WRITE };
    const app = await transaction.findOne(WebhookApp, { id, handshake: 'AWAITED' }, lock);
    if (!app) return false;
    app.sealedSecret = await vault.seal(secret, { tenantId, id, field: 'webhook_app_secret' });
    app.handshake = 'RECEIVED';
    app.updatedAt = clock.now();
    const { subject: actor, correlationId } = systemOf(tenantId);
    addReceipt(transaction, {
      tenantId,
      providerId: app.providerId,
      operation: `integration.webhook_app.${app.providerId}.handshake`,
      outcome: 'SUCCESS',
      actor,
      correlationId,
      request: {},
      result: {},
      occurredAt: app.updatedAt,
    });
    return true;
  });
}

function systemOf(tenantId: string): Caller {
  return { tenantId, subject: 'system', scopes: new Set(), correlationId: uuidV7() };
}
