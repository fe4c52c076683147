import { Command } from 'commander';
import { type Config, readConfig } from './config.js';
import { systemClock } from './core/clock.js';
import { DataDirError, claimDataDir } from './core/data-dir.js';
import { openDb } from './core/db.js';
import { startEmbeddedPostgres } from './core/embedded-postgres/index.js';
import { ConfigError } from './core/errors.js';
import { createLog } from './core/log.js';
import { createSecretServices } from './credential/configure.js';
import { DataKeyRecord } from './credential/data-key.entity.js';
import { KeyProviderError } from './credential/key-provider/key-provider.js';
import { rewrapDataKeys } from './credential/rewrap.js';
import { migrations } from './migrations/index.js';
import { createHttpClient } from './outbound/client.js';
import { createEgressPolicy } from './outbound/egress.js';
import { deleteTenant } from './tenant/delete.js';

/** What an operator does to a running deployment: `npm run tributary -- <command>`. */
const program = new Command('tributary').description(
  'Work on a deployment of Tributary, while it runs. Takes the same environment variables as the server.',
);

program
  .command('rewrap-keys')
  .description(
    'Wraps every tenant’s data keys anew under the key provider that is configured now. After TRIBUTARY_MASTER_KEY or TRIBUTARY_KEY_PROVIDER has changed; goes on where an earlier run was cut off.',
  )
  .action(rewrapKeys);

program
  .command('delete-tenant')
  .description(
    'Destroys a tenant’s keys, and with them every secret, then deletes all it has but its receipts. Revokes nothing at providers: disconnect its connections first.',
  )
  .argument('<tenant>', 'its id, as in tokens')
  .requiredOption('--yes', 'that this can’t be undone is understood')
  .action(deleteOne);

try {
  await program.parseAsync();
} catch (error) {
  const isForOperator = error instanceof ConfigError || error instanceof KeyProviderError;
  process.stderr.write(`${isForOperator ? error.message : String((error as Error).stack)}\n`);
  process.exitCode = 1;
}

async function rewrapKeys(): Promise<void> {
  const config = readConfig(process.env);
  const client = createHttpClient({ egress: createEgressPolicy(['0.0.0.0/0', '::/0']) });
  const services = createSecretServices(config, client);
  await withDatabase(config, async (url) => {
    const log = createLog(config.LOG_LEVEL);
    const db = await openDb({ url, entities: [DataKeyRecord], migrations, log });
    try {
      const count = await rewrapDataKeys({ db, clock: systemClock, wrapper: services.wrapper });
      process.stdout.write(`${count} data keys are wrapped by ${config.TRIBUTARY_KEY_PROVIDER} now.\n`);
    } finally {
      await db.close();
    }
  });
  await Promise.all([services.close(), client.close()]);
}

async function deleteOne(tenantId: string): Promise<void> {
  await withDatabase(readConfig(process.env), async (url) => {
    const deleted = await deleteTenant(url, systemClock, tenantId);
    const what = Object.entries(deleted).map(([table, rows]) => `${rows} of ${table}`);
    process.stdout.write(
      `Tenant ${tenantId}: deleted ${what.join(', ') || 'nothing'}. Its receipts are kept.\n`,
    );
  });
}

/** The operator's database; or the embedded one, which a running server has started, or we do for this once. */
async function withDatabase(config: Config, work: (url: string) => Promise<void>): Promise<void> {
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
