import type { RecurringJob } from '../src/core/scheduler/index.js';
import type { Services } from '../src/services.js';
import { attestAccesses } from './attest-accesses.js';
import { checkpoint } from './checkpoint.js';
import { deleteReceiptBodies } from './delete-receipt-bodies.js';
import { enroll } from './enroll.js';
import { health } from './health.js';
import { incidentDelivery } from './incident-delivery.js';
import { poll } from './poll.js';
import { probe } from './probe.js';
import { purge } from './purge.js';
import { purgeSignals } from './purge-signals.js';
import { redeliver } from './redeliver.js';
import { refreshCredential } from './refresh-credential.js';
import { renewWebhooks } from './renew-webhooks.js';
import { retryAction } from './retry-action.js';
import { rewrapKeys } from './rewrap-keys.js';
import { rotateKeys } from './rotate-keys.js';
import { witness } from './witness.js';

/** What runs in the background of every worker, over all of them together. Each is one call of one service. */
export function jobsOf(services: Services): readonly RecurringJob[] {
  const jobs = [
    poll,
    enroll,
    retryAction,
    refreshCredential,
    redeliver,
    renewWebhooks,
    health,
    probe,
    incidentDelivery,
    rotateKeys,
    rewrapKeys,
    purge,
    purgeSignals,
    checkpoint,
    attestAccesses,
    deleteReceiptBodies,
    witness,
  ];
  return jobs.map((job) => job(services));
}
