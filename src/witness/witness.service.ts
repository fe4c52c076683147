import type { Caller } from '../core/caller.js';
import type { Secret } from '../core/secret.js';
import { type DeliverDeps, deliverDue } from './deliver.js';
import { type SetDeps, type SetWitnessCommand, setWitness } from './set.js';
import { ReceiptAnchor, ReceiptWitness, type WitnessKind } from './witness.entity.js';

/** A witness of the caller's log, and how it stands. */
export interface WitnessStanding {
  readonly kind: WitnessKind;
  /** Null for the operator's, whose address is his own matter. */
  readonly url: string | null;
  /** Undefined until there is a checkpoint to tell of. */
  readonly anchor: ReceiptAnchor | undefined;
}

/** Who keeps checkpoints where the database can't reach them. A roll-back shows by what they saw. */
export interface ReceiptWitnesses {
  /** The tenant's own and the operator's, as far as there are. */
  list(caller: Caller): Promise<readonly WitnessStanding[]>;
  /** Replaces the tenant's witness, with a new secret that is told this once; null: takes it away. Throws INVALID_INPUT. */
  set(caller: Caller, command: SetWitnessCommand): Promise<Secret | null>;
  /**
   * Shows witnesses the newest checkpoints that are due, to so many at once, until none is; whoever does not take his is
   * due again later, without an end. Answers how many were tried. For the background.
   */
  deliverDue(limit: number, signal: AbortSignal): Promise<number>;
}

export function createReceiptWitnesses(deps: SetDeps & DeliverDeps): ReceiptWitnesses {
  const { db, store } = deps;
  return {
    list: ({ tenantId }) =>
      db.for({ tenantId }).transactional(async (transaction) => {
        const own = await transaction.findOne(ReceiptWitness, { tenantId });
        const anchors = await transaction.find(ReceiptAnchor, { tenantId });
        const anchorOf = (kind: WitnessKind) => anchors.find(({ witness }) => witness === kind);
        const standings: WitnessStanding[] = [];
        if (own) standings.push({ kind: 'TENANT', url: own.url, anchor: anchorOf('TENANT') });
        if (store) standings.push({ kind: 'OPERATOR', url: null, anchor: anchorOf('OPERATOR') });
        return standings;
      }),
    set: (caller, command) => setWitness(deps, caller, command),
    deliverDue: (limit, signal) => deliverDue(deps, limit, signal),
  };
}
