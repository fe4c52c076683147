import { LockMode } from '@mikro-orm/postgresql';
import { v7 as uuidV7 } from 'uuid';
import { z } from 'zod';
import type { Caller } from '../core/caller.js';
import type { Clock } from '../core/clock.js';
import type { Db, EntityManager } from '../core/db.js';
import { requireInput } from '../core/schema.js';
import type { Secret } from '../core/secret.js';
import type { Vault } from '../credential/vault.js';
import { makeSigningSecret } from '../incident/sign.js';
import { requireCallable } from '../incident/sink.js';
import type { EgressPolicy } from '../outbound/egress.js';
import { attestSetting, toAddressChange } from '../receipt/setting.js';
import { settleIncident } from './incident.js';
import { ReceiptAnchor, ReceiptWitness } from './witness.entity.js';

const setCommand = z.strictObject({
  url: z.url('must be a URL').max(2_000, 'must be at most 2,000 characters').nullable(),
});

/** What `setReceiptWitness` takes: where to, or null for nowhere. */
export type SetWitnessCommand = z.input<typeof setCommand>;

export interface SetDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly vault: Vault;
  readonly egress: Pick<EgressPolicy, 'checkUrl'>;
}

/** See ReceiptWitnesses.set. Answers the secret; null where the witness was taken away. */
export async function setWitness(
  { db, clock, vault, egress }: SetDeps,
  caller: Caller,
  command: SetWitnessCommand,
): Promise<Secret | null> {
  const { url } = requireInput(setCommand, command);
  const [id, secret, now] = [uuidV7(), makeSigningSecret(), clock.now()];
  const { tenantId } = caller;
  const made = url === null ? undefined : { id, tenantId, url: requireCallable(egress, url), updatedAt: now };
  const sealedSecret = made && (await vault.seal(secret.reveal(), placeOf(made)));
  await db.for(caller).transactional(async (transaction) => {
    await transaction.nativeDelete(ReceiptWitness, { tenantId });
    if (made && sealedSecret) await transaction.insert(ReceiptWitness, { ...made, sealedSecret });
    await restart(transaction, tenantId, now);
    const change = { setting: 'receipt_witness', ...toAddressChange(url) } as const;
    attestSetting(transaction, caller, { ...change, occurredAt: now });
  });
  return made ? secret : null;
}

/** What the witness before said counts no more. That one is set leaves a receipt, whose checkpoint it is told of first. */
async function restart(transaction: EntityManager, tenantId: string, now: Date): Promise<void> {
  const lock = { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { witness: 'asc' } } as const;
  const anchors = await transaction.find(ReceiptAnchor, { tenantId }, lock);
  await transaction.nativeDelete(ReceiptAnchor, { tenantId, witness: 'TENANT' });
  const others = anchors.filter(({ witness }) => witness !== 'TENANT');
  await settleIncident(transaction, tenantId, others, now);
}

/** The witness's secret, for one signature. */
export function openWitnessSecret(vault: Vault, witness: ReceiptWitness): Promise<Secret> {
  return vault.openSecret(witness.sealedSecret, placeOf(witness));
}

function placeOf({ tenantId, id }: Pick<ReceiptWitness, 'tenantId' | 'id'>) {
  return { tenantId, id, field: 'receipt_witness_secret' } as const;
}
