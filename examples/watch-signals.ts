/**
 * Prints every signal of the tenant, one line each, and goes on for ever: `npm run -s example:watch`.
 *
 * This is how a consumer keeps up: it notes the cursor of each signal once it is done with it, and the client resumes
 * behind the last one whenever the connection ends, whoever ended it and why. Nothing is missed and nothing comes
 * twice, however often it is cut off; also not over its own restart, since the cursor is kept in a file.
 *
 * PORT or URL say where Tributary runs; TRIBUTARY_TOKEN is the token, one of tenant "dev" when unset.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocket } from 'ws';
// Elsewhere: from 'tributary/client'.
import {
  type Cut,
  FeedRefused,
  type Received,
  type SocketClass,
  followSignals,
} from '../src/client/index.js';

const root = join(import.meta.dirname, '..');
const {
  PORT = '4000',
  URL: base = `http://127.0.0.1:${PORT}`,
  TRIBUTARY_DATA_DIR = '.tributary',
} = process.env;
const token =
  process.env['TRIBUTARY_TOKEN'] ??
  execFileSync('npm', ['run', '-s', 'token'], { cwd: root, encoding: 'utf8' }).trim();

/** One file a server and token: a cursor means nothing to another tenant. */
const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Claims;
const cursorFile = join(
  TRIBUTARY_DATA_DIR,
  `example-watch-${encodeURIComponent(claims.tenant_id).slice(0, 100)}.cursor`,
);

interface Claims {
  readonly tenant_id: string;
}

interface Signal extends Received {
  readonly type: string;
  readonly occurredAt: string;
  readonly resource: { readonly repository?: string | null; readonly prId?: string | null } | null;
  readonly evidence: readonly { readonly title?: string | null; readonly url: string }[];
}

// Heard between two signals only, never between a line and its cursor.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(0));

let after = readCursor();
process.stdout.write(
  after ? `Watching ${base}, from where this stopped last time.\n` : `Watching ${base}, from now on.\n`,
);
while (await watch())
  process.stderr.write('The cursor is of no use any more; beginning anew, from now on.\n');

/** Goes on until the server refuses the cursor: one of another database. */
async function watch(): Promise<boolean> {
  try {
    const url = `${base.replace(/^http/, 'ws').replace(/\/$/, '')}/graphql`;
    const webSocketImpl = WebSocket as unknown as SocketClass;
    for await (const signal of followSignals<Signal>({
      url,
      token: () => token,
      after,
      webSocketImpl,
      onCut,
      onExpired,
    })) {
      take(signal);
    }
    return false;
  } catch (error) {
    if (!(error instanceof FeedRefused) || error.code !== 'INVALID_CURSOR') throw error;
    rmSync(cursorFile, { force: true });
    after = undefined;
    return true;
  }
}

/** It was away for longer than signals are kept. What is gone is gone; a consumer that counts would read a list here. */
function onExpired(oldest: string): string {
  process.stderr.write(
    'Signals were deleted before they were read here; going on with the oldest that is left.\n',
  );
  return oldest;
}

function onCut({ code, reason }: Cut, waitMs: number): void {
  process.stderr.write(`Cut off (${code}: ${reason}); trying again in ${(waitMs / 1000).toFixed(1)} s.\n`);
}

function take({ type, occurredAt, resource, evidence, cursor }: Signal): void {
  const place = [resource?.repository, resource?.prId && `#${resource.prId}`].filter(Boolean).join('');
  process.stdout.write(
    [occurredAt, type, place, evidence[0]?.title, evidence[0]?.url].filter(Boolean).join('  ') + '\n',
  );
  // Only now: what was interrupted before this line comes again. In one step, so that no end leaves half a cursor.
  writeFileSync(`${cursorFile}.new`, cursor);
  renameSync(`${cursorFile}.new`, cursorFile);
}

function readCursor(): string | undefined {
  mkdirSync(TRIBUTARY_DATA_DIR, { recursive: true, mode: 0o711 });
  try {
    return readFileSync(cursorFile, 'utf8');
  } catch {
    return undefined;
  }
}
