import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { connectors } from '../connectors/index.js';
import { type App, createApp } from './app.js';
import { type Config, readConfig } from './config.js';
import { ConfigError } from './core/errors.js';
import { issueDevelopmentToken } from './core/auth.js';
import { scopes } from './core/caller.js';
import { systemClock } from './core/clock.js';
import { DataDirError, claimDataDir } from './core/data-dir.js';
import { UnsupportedDatabase } from './core/db.js';
import { connectionOf } from './core/postgres.js';
import { EmbeddedPostgresError, startEmbeddedPostgres } from './core/embedded-postgres/index.js';
import { type Log, createLog } from './core/log.js';
import { type TelemetryOptions, startTelemetry } from './core/telemetry.js';

const roles = ['all', 'api', 'worker'] as const;
type Role = (typeof roles)[number];

/** What must be let go of at the end, in the order it was taken. */
type Release = () => Promise<void> | void;

const CONNECT_MS = 10_000;
/** Longer than any request should take; process supervisors commonly kill after 30 s. */
const DRAIN_MS = 20_000;
/** On Ctrl-C a terminal signals npm and us, and npm passes its signal on: two signals, one wish. */
const ECHO_MS = 1_000;

/**
 * Runs one process until SIGINT, SIGTERM or SIGHUP, then ends it with all that it started: exit code 0, or 1 when
 * something failed. What an operator can mend is said in one line.
 */
export async function start(argv: string[], env: NodeJS.ProcessEnv): Promise<void> {
  const stop = listenForStop();
  const releases: Release[] = [];
  const failures: unknown[] = [];
  try {
    const role = readRole(argv);
    const config = readConfig(env);
    const log = createLog(config.LOG_LEVEL);
    releases.push(await startTelemetry(toTelemetry(config, role)));
    const databaseUrl = await openDatabase(config, role, releases, log);
    stop.throwIfAborted();
    const app = await createApp({ config, databaseUrl, connectors, log });
    releases.push(() => drain(app, log));
    stop.throwIfAborted();
    await serve(app, config, role);
    if (!stop.aborted) await once(stop, 'abort');
    log.info('stopping: no more is taken, what is under way is finished');
  } catch (error) {
    // What a stop cut short has not failed: initdb, for one, gets a terminal's Ctrl-C as well.
    if (!stop.aborted) failures.push(error);
  }
  failures.push(...(await releaseAll(releases)));
  for (const failure of failures) process.stderr.write(`${explain(failure)}\n`);
  process.exit(failures.length === 0 ? 0 : 1);
}

/** A second signal does not wait for the first one's patience. What then stays behind the next start takes over. */
function listenForStop(): AbortSignal {
  const stop = new AbortController();
  let requestedAt = 0;
  function request(): void {
    if (!stop.signal.aborted) {
      requestedAt = performance.now();
      stop.abort();
    } else if (performance.now() - requestedAt > ECHO_MS) process.exit(1);
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, request);
  return stop.signal;
}

function readRole(argv: string[]): Role {
  const { values } = parseArgs({ args: argv, options: { role: { type: 'string', default: 'all' } } });
  const role = roles.find((known) => known === values.role);
  if (!role) throw new ConfigError(`--role must be one of ${roles.join(', ')}.`);
  return role;
}

function toTelemetry(config: Config, role: Role): TelemetryOptions {
  return {
    endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
    serviceName: config.OTEL_SERVICE_NAME,
    ratio: config.OTEL_TRACES_SAMPLER_ARG,
    role,
  };
}

async function openDatabase(config: Config, role: Role, releases: Release[], log: Log): Promise<string> {
  if (config.DATABASE_URL) return requireDatabase(config.DATABASE_URL);
  if (role !== 'all') throw new ConfigError(`DATABASE_URL: must be set to run as ${role} alone.`);
  releases.push(claimDataDir(config.TRIBUTARY_DATA_DIR));
  const postgres = await startEmbeddedPostgres({ dataDir: config.TRIBUTARY_DATA_DIR, log });
  releases.push(() => postgres.stop());
  return postgres.url;
}

/** Asked before anything is built on it: here a failure is the operator's to mend, later it is not. */
async function requireDatabase(url: string): Promise<string> {
  const client = new Client({ ...connectionOf(url), connectionTimeoutMillis: CONNECT_MS });
  client.on('error', () => {});
  try {
    await client.connect();
    return url;
  } catch (cause) {
    // A name with several addresses fails with one error for each, and no message of its own.
    const [reason] = cause instanceof AggregateError ? cause.errors : [cause];
    const message = `DATABASE_URL: no connection to PostgreSQL (${(reason as Error).message}).`;
    throw new ConfigError(message, { cause });
  } finally {
    await client.end();
  }
}

async function serve(app: App, config: Config, role: Role): Promise<void> {
  if (role !== 'api') await app.startWorking();
  // A worker listens too: probes and metrics are asked of every process.
  const address = await app.listen();
  // Counted from the start of the process, imports included: as long as somebody waited.
  const seconds = (performance.now() / 1000).toFixed(1);
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

/** A client that never finishes its request does not keep the database from being stopped in order. */
async function drain(app: App, log: Log): Promise<void> {
  const patience = delay(DRAIN_MS, 'over');
  if ((await Promise.race([app.close(), patience])) !== 'over') return;
  log.warn(`stopping: not everything under way was finished within ${DRAIN_MS / 1000} s`);
}

/** Lets go of everything, whatever fails on the way; answers the failures. */
async function releaseAll(releases: Release[]): Promise<unknown[]> {
  const failures: unknown[] = [];
  for (const release of releases.toReversed()) {
    try {
      await release();
    } catch (error) {
      failures.push(error);
    }
  }
  return failures;
}

/** One line for what an operator can mend; the whole stack for what is a bug. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isForOperator = [ConfigError, DataDirError, EmbeddedPostgresError, UnsupportedDatabase].some(
    (type) => error instanceof type,
  );
  if (isForOperator) return error.message;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code?.startsWith('ERR_PARSE_ARGS')) return error.message;
  if (syscall === 'listen' || syscall === 'getaddrinfo')
    return `HOST and PORT: ${error.message}. Stop what listens there, or set another PORT.`;
  return code ? `${error.message} (${code})` : (error.stack ?? error.message);
}
