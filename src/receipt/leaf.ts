import { createHash, randomBytes } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { JsonObject } from '../connector/index.js';
import type { ReceiptOutcome } from './receipt.entity.js';

/**
 * What the log commits to. A leaf is canonical JSON (RFC 8785) with the form's version in `v`; it names the receipt and
 * carries a salted hash of its body, and nothing of the body itself. So the body, where personal data may be, can be
 * deleted, and every proof over the leaf still verifies (docs/decisions/receipt-leaves.md).
 */

const VERSION = 1;
const SALT_BYTES = 16;

/** What a receipt says of persons and things: goes when its time is over. */
export interface ReceiptBody {
  readonly actor: string;
  readonly request: JsonObject;
  readonly result: JsonObject;
}

/** What of a receipt stays for ever. */
export interface LeafFields {
  readonly id: string;
  readonly tenantId: string;
  readonly connectionId?: string | null;
  readonly providerId?: string | null;
  readonly actionId?: string | null;
  readonly operation: string;
  readonly outcome: ReceiptOutcome;
  readonly correlationId: string | null;
  readonly traceId?: string | null;
  readonly occurredAt: Date;
}

/** A leaf's text, and what its body's hash was salted with: without it, a body that can be guessed could be confirmed. */
export interface Leaf {
  readonly leaf: string;
  readonly salt: Buffer;
}

export function makeLeaf(fields: LeafFields, body: ReceiptBody, salt = randomBytes(SALT_BYTES)): Leaf {
  const leaf = canonical({
    v: VERSION,
    id: fields.id,
    tenant_id: fields.tenantId,
    connection_id: fields.connectionId ?? null,
    provider_id: fields.providerId ?? null,
    action_id: fields.actionId ?? null,
    operation: fields.operation,
    outcome: fields.outcome,
    correlation_id: fields.correlationId,
    trace_id: fields.traceId ?? null,
    occurred_at: fields.occurredAt.toISOString(),
    body_sha256: bodyHash(salt, body),
  });
  return { leaf, salt };
}

/** SHA-256(salt || canonical JSON of the body), in hex. */
export function bodyHash(salt: Uint8Array, { actor, request, result }: ReceiptBody): string {
  const text = canonical({ actor, request, result });
  return createHash('sha256').update(salt).update(text).digest('hex');
}

/** RFC 8785. Throws for what JSON can't hold. */
export function canonical(value: object): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('this can’t be written as JSON');
  return text;
}
