import { v7 as uuidV7 } from 'uuid';
import type { Db } from '../core/db.js';
import type { Refresher } from '../credential/oauth/refresh.js';
import type { ProviderCatalog } from './catalog.js';
import { Connection } from './connection.entity.js';
import type { Opener } from './open.js';

export interface RenewDeps {
  readonly db: Db;
  readonly catalog: ProviderCatalog;
  readonly opener: Opener;
  readonly refresher: Pick<Refresher, 'due'>;
}

const BATCH = 50;

/** See ConnectionService.renewDue. */
export async function renewDueTokens({ db, catalog, opener, refresher }: RenewDeps): Promise<number> {
  const due = await refresher.due(BATCH);
  const renewed = await Promise.all(
    due.map(async ({ tenantId, connectionId }) => {
      const connection = await db.for({ tenantId }).findOne(Connection, { id: connectionId });
      const connector = connection && catalog.find(connection.providerId);
      if (!connector) return false;
      const accessor = { actor: 'system', purpose: 'refresh', correlationId: uuidV7() };
      return (await opener.open(connection, connector, accessor, { isFresh: true })).warm();
    }),
  );
  return renewed.filter(Boolean).length;
}
