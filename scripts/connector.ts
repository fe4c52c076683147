/**
 * For whoever writes a connector, with its fixtures and its conformance subject:
 *
 *   npm run connector -- github emit issues.opened --connection <id>   signs a fixture as the provider does, and posts it
 *   npm run connector -- github replay issues.opened                   verify → event → signals, in the terminal
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { format, resolveConfig } from 'prettier';
import { readConfig } from '../src/config.js';
import { WebhookEndpoint } from '../src/connection/connection.entity.js';
import { openWebhookSetup } from '../src/connection/webhook-endpoint.js';
import type { Secret } from '../src/connector/index.js';
import { withVault } from '../src/operator.js';
import { readEvent, requireWebhook, secretOf } from '../test/conformance/fixtures.js';
import type { ConformanceSubject, Unsigned } from '../test/conformance/subject.js';

const folder = join(import.meta.dirname, '..');

const program = new Command('connector')
  .description('Tries a connector’s receiving side by its fixtures.')
  .usage('<provider> emit|replay <fixture>');

program
  .command('emit')
  .description('Signs a fixture as the provider does and posts it to a connection of this deployment.')
  .argument('<fixture>', 'its name, such as issues.opened, or a path to a body')
  .requiredOption('--connection <id>', 'whose webhook it is')
  .option('--tenant <id>', 'the connection’s tenant', 'dev')
  .action((fixture: string, options: EmitOptions) => emit(provider(), fixture, options));

program
  .command('replay')
  .description('Shows what becomes of a delivery: its verification, the event, and the signals.')
  .argument('<fixture>', 'its name, such as issues.opened, or a path to a body')
  .option('--save', 'writes the signals beside the body, as what is expected of it from now on')
  .action((fixture: string, options: { save?: boolean }) => replay(provider(), fixture, options));

interface EmitOptions {
  readonly connection: string;
  readonly tenant: string;
}

const [id, ...rest] = process.argv.slice(2);
const provider = (): string => id ?? '';
try {
  // The provider comes first, as in a sentence; the library wants it after the command.
  await program.parseAsync(id === undefined || id.startsWith('-') ? ['--help'] : rest, { from: 'user' });
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}

async function emit(of: string, fixture: string, options: EmitOptions): Promise<void> {
  const { scheme } = requireWebhook(await loadSubject(of));
  const { url, secret } = await findEndpoint(options);
  const { headers, body } = scheme.sign(load(of, fixture), secret, new Date());
  const response = await fetch(url, {
    method: 'POST',
    body: new Uint8Array(body),
    headers: headers as Record<string, string>,
  });
  process.stdout.write(`${response.status} ${await response.text()}\n`);
  if (!response.ok) process.exitCode = 1;
}

/** As the vault of this environment opens it. */
async function findEndpoint({ connection, tenant }: EmitOptions): Promise<{ url: string; secret: Secret }> {
  let found: { url: string; secret: Secret } | undefined;
  await withVault(readConfig(process.env), async ({ config, db, vault }) => {
    const endpoint = await db
      .for({ tenantId: tenant })
      .findOne(WebhookEndpoint, { connectionId: connection });
    if (!endpoint) throw new Error(`Tenant ${tenant} has no connection ${connection} that takes webhooks.`);
    const here = config.PUBLIC_URL ?? `http://${config.HOST}:${config.PORT}`;
    found = await openWebhookSetup(vault, endpoint, here);
  });
  if (!found) throw new Error('no endpoint was opened');
  return found;
}

async function replay(of: string, fixture: string, { save = false }): Promise<void> {
  const subject = await loadSubject(of);
  const { webhook, scheme } = requireWebhook(subject);
  const secret = secretOf(scheme, 'replay');
  const delivery = scheme.sign(load(of, fixture), secret, new Date());
  const event = readEvent(webhook, delivery);
  const told = {
    verified: webhook.verify(delivery, [secret]),
    event: { id: event.id, type: event.type, apiVersion: event.apiVersion },
    account: webhook.accountOf?.(delivery, event.body),
    signals: subject.connector.normalize?.(event) ?? [],
  };
  process.stdout.write(`${JSON.stringify(told, null, 2)}\n`);
  if (save) await saveSignals(pathOf(of, fixture), told.signals);
}

/** Read them first: what is saved is what the conformance suite holds the connector to. */
async function saveSignals(body: string, signals: unknown): Promise<void> {
  const path = body.replace(/(\.json)?$/, '.signals.json');
  const options = await resolveConfig(join(folder, 'connectors/index.ts'));
  writeFileSync(path, await format(JSON.stringify(signals), { ...options, filepath: path }));
}

async function loadSubject(of: string): Promise<ConformanceSubject> {
  const path = join(folder, 'test/conformance/subjects', `${of}.ts`);
  if (!existsSync(path)) throw new Error(`There is no ${path}: a subject says how the provider signs.`);
  return ((await import(path)) as { subject: ConformanceSubject }).subject;
}

/** A body and its headers, beside it as `<name>.headers.json`. */
function load(of: string, fixture: string): Unsigned {
  const path = pathOf(of, fixture);
  const beside = path.replace(/\.json$/, '.headers.json');
  const headers = existsSync(beside) ? JSON.parse(readFileSync(beside, 'utf8')) : {};
  return {
    headers: { 'content-type': 'application/json', ...(headers as object) },
    body: readFileSync(path),
  };
}

function pathOf(of: string, fixture: string): string {
  const named = join(folder, 'connectors', of, 'fixtures', `${fixture}.json`);
  const path = [named, fixture].find((one) => existsSync(one));
  if (!path) throw new Error(`There is neither ${named} nor ${fixture}.`);
  return path;
}
