import { parseArgs } from 'node:util';
import { connectors } from '../connectors/index.js';
import { type App, createApp } from './app.js';
import { type Config, ConfigError, readConfig } from './config.js';
import { issueDevelopmentToken } from './core/auth.js';
import { scopes } from './core/caller.js';
import { systemClock } from './core/clock.js';
import { DataDirError, claimDataDir } from './core/data-dir.js';
import { startEmbeddedPostgres } from './core/embedded-postgres/index.js';
import { type Log, createLog } from './core/log.js';

const roles = ['all', 'api', 'worker'] as const;
type Role = (typeof roles)[number];

/** What must be let go of at the end, in the order it was taken. */
type Release = () => Promise<void> | void;

/** Starts one process and stops it cleanly on SIGINT or SIGTERM. What an operator can mend is said in one line. */
export async function start(argv: string[], env: NodeJS.ProcessEnv): Promise<void> {
  const startedAt = performance.now();
  const releases: Release[] = [];
  try {
    const role = readRole(argv);
    const config = readConfig(env);
    const log = createLog(config.LOG_LEVEL);
    stopOnSignal(releases, log);
    const databaseUrl = config.DATABASE_URL ?? (await startDatabase(config, role, releases, log));
    const app = await createApp({ config, databaseUrl, connectors, log });
    releases.push(() => app.close());
    await serve(app, config, role, startedAt);
  } catch (error) {
    await releaseAll(releases);
    process.stderr.write(`${explain(error)}\n`);
    process.exit(1);
  }
}

function readRole(argv: string[]): Role {
  const { values } = parseArgs({ args: argv, options: { role: { type: 'string', default: 'all' } } });
  const role = roles.find((known) => known === values.role);
  if (!role) throw new ConfigError(`--role must be one of ${roles.join(', ')}.`);
  return role;
}

async function startDatabase(config: Config, role: Role, releases: Release[], log: Log): Promise<string> {
  if (role !== 'all') throw new ConfigError(`DATABASE_URL: must be set to run as ${role} alone.`);
  releases.push(claimDataDir(config.TRIBUTARY_DATA_DIR));
  const postgres = await startEmbeddedPostgres({ dataDir: config.TRIBUTARY_DATA_DIR, log });
  releases.push(() => postgres.stop());
  return postgres.url;
}

async function serve(app: App, config: Config, role: Role, startedAt: number): Promise<void> {
  if (role !== 'api') app.startWorking();
  // A worker listens too: probes and metrics are asked of every process.
  const address = await app.listen();
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(
    role === 'all'
      ? await welcome(address, config, seconds)
      : `Tributary ${role} is running at ${address}.\n`,
  );
}

async function welcome(address: string, config: Config, seconds: string): Promise<string> {
  const base = config.PUBLIC_URL ?? address;
  const hasDevelopmentTokens = !config.AUTH_JWKS_URL && config.TRIBUTARY_ENVIRONMENT !== 'prod';
  return [
    `Tributary is running (started in ${seconds} s; Ctrl-C stops it).`,
    '',
    `  GraphQL    ${address}/graphql   (subscriptions: ${address.replace(/^http/, 'ws')}/graphql)`,
    `  Webhooks   ${base}/v1/integrations/webhooks/{provider}/{token}`,
    ...(hasDevelopmentTokens ? [`  Token      ${await developmentToken(config)}`, ...TRY] : []),
    '',
    '',
  ].join('\n');
}

const TRY = [
  '             (tenant "dev", all scopes, for a day; `npm run -s token` makes more)',
  '',
  'Try, each in a terminal of its own:',
  '',
  '  npm run -s example:providers     what can be connected, and what each provider can do',
  '  npm run -s example:watch         every signal of the tenant, live',
  '  npm run -s example:webhook       connects GitHub and posts a signed webhook; the signal appears in the watcher',
];

async function developmentToken(config: Config): Promise<string> {
  const claims = { tenantId: 'dev', subject: 'developer', scope: scopes.join(' '), lifetimeSeconds: 86_400 };
  return issueDevelopmentToken(config, claims, systemClock);
}

/** A second signal does not wait for the first one's patience. */
function stopOnSignal(releases: Release[], log: Log): void {
  let isStopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (isStopping) process.exit(1);
    isStopping = true;
    log.info({ signal }, 'stopping: no more is taken, what is under way is finished');
    await releaseAll(releases);
    process.exit(0);
  };
  process.on('SIGINT', () => void stop('SIGINT'));
  process.on('SIGTERM', () => void stop('SIGTERM'));
}

async function releaseAll(releases: Release[]): Promise<void> {
  for (const release of releases.splice(0).toReversed()) await release();
}

/** One line for what an operator can mend; the whole stack for what is a bug. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof ConfigError || error instanceof DataDirError) return error.message;
  if (!('code' in error)) return error.stack ?? error.message;
  if (error.code === 'EADDRINUSE')
    return `${error.message}. Stop what listens there, or set PORT to another port.`;
  return `${error.message} (${String(error.code)})`;
}
