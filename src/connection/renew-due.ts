import { v7 as uuidV7 } from 'uuid';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import type { Log } from '../core/log.js';
import { type CredentialKey, putOff } from '../credential/oauth/lease.js';
import type { Refresher } from '../credential/oauth/refresh.js';
import type { ProviderCatalog } from './catalog.js';
import { Connection } from './connection.entity.js';
import type { Opener } from './open.js';

export interface RenewDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly catalog: ProviderCatalog;
  readonly opener: Opener;
  readonly refresher: Pick<Refresher, 'due'>;
  readonly log: Log;
}

const BATCH = 50;
/** As far ahead as credentials_due looks. */
const AHEAD_SECONDS = 300;

/** See ConnectionService.renewDue. None keeps the others from being renewed, now or the next time. */
export async function renewDueTokens(deps: RenewDeps): Promise<number> {
  const due = await deps.refresher.due(BATCH);
  const renewed = await Promise.allSettled(due.map((key) => renew(deps, key)));
  for (const [index, result] of renewed.entries()) {
    if (result.status === 'fulfilled') continue;
    deps.log.error({ err: result.reason, ...due[index] }, 'oauth: a renewal that was due broke off');
  }
  return renewed.filter((result) => result.status === 'fulfilled' && result.value).length;
}

async function renew(deps: RenewDeps, key: CredentialKey): Promise<boolean> {
  let isGood = false;
  try {
    isGood = await warm(deps, key);
  } finally {
    if (!isGood) await putOff(deps.db, key, deps.clock.now());
  }
  return isGood;
}

/** False: it can't be renewed now. Throws what storage and vault throw. */
async function warm({ db, catalog, opener }: RenewDeps, key: CredentialKey): Promise<boolean> {
  const { tenantId, connectionId } = key;
  const connection = await db.for({ tenantId }).findOne(Connection, { id: connectionId });
  const connector = connection && catalog.find(connection.providerId);
  if (!connector) return false;
  const accessor = { actor: 'system', purpose: 'refresh', correlationId: uuidV7() };
  return (await opener.open(connection, connector, accessor, { isFresh: true })).warm(AHEAD_SECONDS);
}
