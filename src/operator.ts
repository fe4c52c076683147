import type { Config } from './config.js';
import { type Clock, systemClock } from './core/clock.js';
import { DataDirError, claimDataDir } from './core/data-dir.js';
import { type Db, openDb } from './core/db.js';
import { startEmbeddedPostgres } from './core/embedded-postgres/index.js';
import { createLog } from './core/log.js';
import { createSecretServices } from './credential/configure.js';
import { createDataKeys } from './credential/data-keys.js';
import { type Vault, createVault } from './credential/vault.js';
import { entities } from './entities.js';
import { migrations } from './migrations/index.js';
import { createHttpClient } from './outbound/client.js';
import { createEgressPolicy } from './outbound/egress.js';

/** What works on the secrets of a deployment. */
export interface VaultDeps {
  readonly config: Config;
  readonly db: Db;
  readonly clock: Clock;
  readonly vault: Vault;
}

/** The database, and the vault that seals in it. */
export async function withVault(config: Config, work: (deps: VaultDeps) => Promise<void>): Promise<void> {
  const [log, clock] = [createLog(config.LOG_LEVEL), systemClock];
  const client = createHttpClient({ egress: createEgressPolicy(['0.0.0.0/0', '::/0']) });
  const { wrapper, ...services } = createSecretServices(config, client);
  await withDatabase(config, async (url) => {
    const db = await openDb({ url, entities, migrations, log });
    const keys = await createDataKeys({ db, clock, log, wrapper });
    try {
      await work({ config, db, clock, vault: createVault(keys) });
    } finally {
      await keys.close();
      await db.close();
    }
  });
  await Promise.all([services.close(), client.close()]);
}

/** The operator's database; or the embedded one, which a running server has started, or we do for this once. */
export async function withDatabase(config: Config, work: (url: string) => Promise<void>): Promise<void> {
  if (config.DATABASE_URL) return work(config.DATABASE_URL);
  const release = claimIfFree(config.TRIBUTARY_DATA_DIR);
  const postgres = await startEmbeddedPostgres({ dataDir: config.TRIBUTARY_DATA_DIR });
  try {
    await work(postgres.url);
  } finally {
    if (release) await postgres.stop();
    release?.();
  }
}

/** Undefined while a server holds it: its PostgreSQL is used, and left alone. */
function claimIfFree(dataDir: string): ReturnType<typeof claimDataDir> | undefined {
  try {
    return claimDataDir(dataDir);
  } catch (error) {
    if (error instanceof DataDirError) return undefined;
    throw error;
  }
}
