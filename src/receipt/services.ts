import type { Config } from '../config.js';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import type { Log } from '../core/log.js';
import type { Metrics } from '../core/metrics.js';
import type { Vault } from '../credential/vault.js';
import { type AccessAttestor, createAccessAttestor } from './accesses.js';
import { hostOf } from './checkpoint.js';
import { type ReceiptExporter, createReceiptExporter } from './export.js';
import { type ReceiptLog, createReceiptLog } from './log.js';
import { type ReceiptProofs, createReceiptProofs } from './proofs.js';
import { type ReceiptRetention, createReceiptRetention } from './retention.js';
import { type Sequencer, createSequencer } from './sequencer.js';
import { type CheckpointKeys, createCheckpointKeys } from './signing-key.js';

/** All that there is to do with receipts. */
export interface ReceiptServices {
  readonly receipts: ReceiptLog;
  readonly receiptProofs: ReceiptProofs;
  readonly receiptExports: ReceiptExporter;
  readonly receiptRetention: ReceiptRetention;
  readonly accessAttestor: AccessAttestor;
  readonly checkpointKeys: CheckpointKeys;
  readonly sequencer: Sequencer;
}

export interface ReceiptServicesDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly vault: Vault;
  readonly config: Pick<Config, 'PUBLIC_URL' | 'RECEIPT_LOG_HOST' | 'RECEIPT_RETENTION_DAYS'>;
}

export async function createReceiptServices(deps: ReceiptServicesDeps): Promise<ReceiptServices> {
  const { db, config } = deps;
  const host = config.RECEIPT_LOG_HOST ?? hostOf(config.PUBLIC_URL);
  const checkpointKeys = createCheckpointKeys(deps);
  return {
    receipts: createReceiptLog(db),
    receiptProofs: await createReceiptProofs(deps),
    receiptExports: createReceiptExporter(db),
    receiptRetention: createReceiptRetention({ ...deps, defaultDays: config.RECEIPT_RETENTION_DAYS }),
    accessAttestor: createAccessAttestor(deps),
    checkpointKeys,
    sequencer: createSequencer({ ...deps, host, keys: checkpointKeys }),
  };
}
