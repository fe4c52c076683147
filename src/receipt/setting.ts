import type { JsonObject } from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import type { EntityManager } from '../core/db.js';
import { addReceipt } from './log.js';

/** What a caller did to a setting. */
export interface SettingChange {
  /** The area of the operation: what kind of setting. */
  readonly setting: 'incident_sink' | 'receipt_witness' | 'oauth_app' | 'webhook_app';
  readonly verb: string;
  /** Left out where it is the tenant's with no provider in particular. */
  readonly providerId?: string;
  /** Without secrets. */
  readonly request: JsonObject;
  readonly occurredAt: Date;
}

/** Adds the receipt of a changed setting to the transaction of the change. */
export function attestSetting(
  transaction: EntityManager,
  { tenantId, subject, correlationId }: Caller,
  { setting, verb, providerId, request, occurredAt }: SettingChange,
): void {
  addReceipt(transaction, {
    tenantId,
    ...(providerId && { providerId }),
    operation: `integration.${setting}.${providerId ?? 'tributary'}.${verb}`,
    actor: subject,
    correlationId,
    occurredAt,
    outcome: 'SUCCESS',
    request,
    result: {},
  });
}

/** The change of an address, of which no more than the origin is told: paths of such URLs are often secrets. */
export function toAddressChange(url: string | null): Pick<SettingChange, 'verb' | 'request'> {
  if (url === null) return { verb: 'remove', request: { origin: null } };
  return { verb: 'set', request: { origin: new URL(url).origin } };
}
