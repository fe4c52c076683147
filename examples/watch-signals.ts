/**
 * Prints every signal of the tenant, one line each, and goes on for ever: `npm run -s example:watch`.
 *
 * This is how a consumer keeps up: it notes the cursor of each signal once it is done with it, and whenever the
 * connection ends, whoever ended it and why, it subscribes again behind that cursor. Nothing is missed and nothing
 * comes twice, however often it is cut off; also not over its own restart, since the cursor is kept in a file.
 *
 * PORT or URL say where Tributary runs; TRIBUTARY_TOKEN is the token, one of tenant "dev" when unset.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from 'graphql-ws';

const root = join(import.meta.dirname, '..');
const {
  PORT = '4000',
  URL: base = `http://127.0.0.1:${PORT}`,
  TRIBUTARY_DATA_DIR = '.tributary',
} = process.env;
const token =
  process.env['TRIBUTARY_TOKEN'] ??
  execFileSync('npm', ['run', '-s', 'token'], { cwd: root, encoding: 'utf8' }).trim();
const query = readFileSync(join(root, 'schema/operations/signal-received.graphql'), 'utf8');

/** One file a server and token: a cursor means nothing to another tenant. */
const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Claims;
const cursorFile = join(
  TRIBUTARY_DATA_DIR,
  `example-watch-${encodeURIComponent(claims.tenant_id).slice(0, 100)}.cursor`,
);

interface Claims {
  readonly tenant_id: string;
}

interface Received {
  readonly signalReceived: {
    readonly cursor: string;
    readonly type: string;
    readonly occurredAt: string;
    readonly resource: { readonly repository?: string | null; readonly prId?: string | null } | null;
    readonly evidence: readonly { readonly title?: string | null; readonly url: string }[];
  };
}

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 15_000;

// Heard between two signals only, never between a line and its cursor.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(0));

let after = readCursor();
let waitMs = FIRST_WAIT_MS;

process.stdout.write(
  after ? `Watching ${base}, from where this stopped last time.\n` : `Watching ${base}, from now on.\n`,
);
for (;;) {
  const reason = await watch();
  process.stderr.write(`Cut off (${reason}); trying again in ${waitMs / 1000} s.\n`);
  // A random part, so that a thousand watchers do not all come back in the same instant.
  await delay(waitMs * (0.5 + Math.random() / 2));
  waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
}

/** One connection, until it ends. Answers why it did. */
async function watch(): Promise<string> {
  const client = createClient({
    url: `${base.replace(/^http/, 'ws').replace(/\/$/, '')}/graphql`,
    connectionParams: { authorization: `Bearer ${token}` },
    // Repeating is done here: the client would repeat with the cursor it began with.
    retryAttempts: 0,
  });
  try {
    for await (const { data, errors } of client.iterate<Received>({ query, variables: { after } })) {
      if (errors?.[0]) return refused(errors[0]);
      if (data) take(data.signalReceived);
    }
    return 'the server ended the subscription';
  } catch (error) {
    return reasonOf(error);
  } finally {
    await client.dispose();
  }
}

function take(signal: Received['signalReceived']): void {
  const { type, occurredAt, resource, evidence, cursor } = signal;
  const place = [resource?.repository, resource?.prId && `#${resource.prId}`].filter(Boolean).join('');
  process.stdout.write(
    [occurredAt, type, place, evidence[0]?.title, evidence[0]?.url].filter(Boolean).join('  ') + '\n',
  );
  // Only now: what was interrupted before this line comes again. In one step, so that no end leaves half a cursor.
  writeFileSync(`${cursorFile}.new`, cursor);
  renameSync(`${cursorFile}.new`, cursorFile);
  after = cursor;
  waitMs = FIRST_WAIT_MS;
}

/** A cursor of another database, kept from before it was deleted, is of no use: begin anew. */
function refused({ message, extensions }: { message: string; extensions?: Record<string, unknown> }): string {
  if (extensions?.['code'] === 'INVALID_CURSOR') {
    rmSync(cursorFile, { force: true });
    after = undefined;
  }
  return message;
}

function reasonOf(error: unknown): string {
  if (Array.isArray(error) && error[0]) return refused(error[0]);
  if (typeof error === 'object' && error !== null && 'code' in error) {
    const { code, reason = '' } = error as { code: unknown; reason?: string };
    return [String(code), reason].filter(Boolean).join(' ');
  }
  return error instanceof Error ? error.message : 'no connection';
}

function readCursor(): string | undefined {
  mkdirSync(TRIBUTARY_DATA_DIR, { recursive: true, mode: 0o711 });
  try {
    return readFileSync(cursorFile, 'utf8');
  } catch {
    return undefined;
  }
}
