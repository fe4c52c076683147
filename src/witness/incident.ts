import { v7 as uuidV7 } from 'uuid';
import type { EntityManager } from '../core/db.js';
import { Incident } from '../incident/incident.entity.js';
import { announce } from '../incident/settle.js';
import type { ReceiptAnchor } from './witness.entity.js';

/** What became of a tenant's incident. */
export type IncidentChange = 'OPEN' | 'RESOLVED' | undefined;

const kind = 'RECEIPTS_ROLLED_BACK';

/**
 * Opens or resolves the tenant's incident, by what all its witnesses say. In a transaction that holds the anchors of
 * the tenant, so that there is one incident at a time.
 */
export async function settleIncident(
  transaction: EntityManager,
  tenantId: string,
  anchors: readonly ReceiptAnchor[],
  now: Date,
): Promise<IncidentChange> {
  const message = anchors.find(({ conflict }) => conflict !== null)?.conflict;
  const open = await transaction.findOne(Incident, { kind, resolvedAt: null });
  if (message && !open) {
    const scope = 'TENANT' as const;
    const about = { tenantId, scope, connectionId: null, providerId: null, kind, message } as const;
    const incident = { id: uuidV7(), ...about, openedAt: now };
    await transaction.insert(Incident, incident);
    await announce(transaction, incident, now);
    return 'OPEN';
  }
  if (!message && open) {
    await transaction.nativeUpdate(Incident, { id: open.id }, { resolvedAt: now });
    await announce(transaction, Object.assign(open, { resolvedAt: now }), now);
    return 'RESOLVED';
  }
  return undefined;
}
