#!/usr/bin/env node
import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import { v7 as uuidV7 } from 'uuid';
import { connectors } from '../connectors/index.js';
import { readConfig } from './config.js';
import { createCatalog } from './connection/catalog.js';
import { type WebhookApps, createWebhookApps } from './connection/webhook-app.js';
import { type Caller, OPERATOR } from './core/caller.js';
import { systemClock } from './core/clock.js';
import { openDb } from './core/db.js';
import { ConfigError, TributaryError } from './core/errors.js';
import { createLog } from './core/log.js';
import { createSecretServices } from './credential/configure.js';
import { DataKeyRecord } from './credential/data-key.entity.js';
import { KeyProviderError } from './credential/key-provider/key-provider.js';
import { rewrapDataKeys } from './credential/rewrap.js';
import { migrations } from './migrations/index.js';
import { createHttpClient } from './outbound/client.js';
import { createEgressPolicy } from './outbound/egress.js';
import { withDatabase, withVault } from './operator.js';
import { createCheckpointKeys } from './receipt/signing-key.js';
import { deleteTenant } from './tenant/delete.js';
import { addVerifyReceipts } from './verify-receipts.js';

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

program
  .command('register-app')
  .description(
    'Registers your app with a provider that sends the webhooks of all its accounts to one URL, and prints that URL; or gives it another secret. The signing secret is read from standard input, unless the provider hands it out itself.',
  )
  .argument('<provider>', 'such as slack')
  .action(registerApp);

program
  .command('show-app-secret')
  .description('Prints the secret that a provider has handed out to your app’s URL; once.')
  .argument('<provider>', 'such as notion')
  .action((provider: string) =>
    withApps(async (apps, operator) => {
      process.stdout.write(`${(await apps.showSecret(operator, provider)).reveal()}\n`);
    }),
  );

program
  .command('remove-app')
  .description('Forgets your app: its URL is unknown from then on.')
  .argument('<provider>', 'such as slack')
  .action((provider: string) =>
    withApps(async (apps, operator) => {
      const isRemoved = await apps.remove(operator, provider);
      process.stdout.write(isRemoved ? 'Removed.\n' : 'There was none.\n');
    }),
  );

program
  .command('rotate-checkpoint-key')
  .description(
    'Makes a new key that signs the checkpoints of receipts’ logs from now on. The one before stays listed, and can sign no more.',
  )
  .action(rotateCheckpointKey);

addVerifyReceipts(program);

try {
  await program.parseAsync();
} catch (error) {
  const forOperators = [ConfigError, KeyProviderError, TributaryError];
  const { message, stack } = error as Error;
  process.stderr.write(`${forOperators.some((type) => error instanceof type) ? message : stack}\n`);
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

async function registerApp(provider: string): Promise<void> {
  await withApps(async (apps, operator, catalog) => {
    const isHandedOut = catalog.require(provider).webhook?.handshake?.secretOf !== undefined;
    if (!isHandedOut && process.stdin.isTTY) process.stderr.write('The app’s signing secret, then Ctrl-D: ');
    const secret = isHandedOut ? null : (await text(process.stdin)).trim();
    const { url } = await apps.register(operator, { providerId: provider, secret });
    process.stdout.write(`${url}\n`);
    const next = `Enter the URL in the app’s settings there${isHandedOut ? '; then: npm run -s tributary -- show-app-secret ' + provider : ''}.`;
    process.stderr.write(`${next}\n`);
  });
}

async function rotateCheckpointKey(): Promise<void> {
  await withVault(readConfig(process.env), async (deps) => {
    const version = await createCheckpointKeys(deps).rotate();
    process.stdout.write(`Checkpoints are signed by key ${version} from now on.\n`);
  });
}

/** The operator's apps are kept like a tenant's, sealed and with receipts. */
async function withApps(
  work: (apps: WebhookApps, operator: Caller, catalog: ReturnType<typeof createCatalog>) => Promise<void>,
): Promise<void> {
  await withVault(readConfig(process.env), async ({ config, ...deps }) => {
    const catalog = createCatalog(connectors);
    const publicUrl = () => config.PUBLIC_URL ?? `http://${config.HOST}:${config.PORT}`;
    const apps = createWebhookApps({ ...deps, catalog, publicUrl });
    const operator = {
      tenantId: OPERATOR,
      subject: 'operator',
      scopes: new Set<string>(),
      correlationId: uuidV7(),
    };
    await work(apps, operator, catalog);
  });
}
