/** `npm run bench:vault`: how long one use of a sealed secret takes, kept in memory and cold. See README.md beside. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { systemClock } from '../src/core/clock.js';
import { type Db, openDb } from '../src/core/db.js';
import { createLog } from '../src/core/log.js';
import { DataKeyRecord } from '../src/credential/data-key.entity.js';
import { createDataKeys } from '../src/credential/data-keys.js';
import { createLocalKeyProvider } from '../src/credential/key-provider/local.js';
import { type SealedPlace, createVault } from '../src/credential/vault.js';
import { migrations } from '../src/migrations/index.js';
import { openBenchServer } from './database.js';

const ROUNDS = 2_000;
const COLD_ROUNDS = 200;

const log = createLog('warn');
const folder = mkdtempSync(join(tmpdir(), 'tributary-bench-'));
const server = await openBenchServer(undefined, folder);
try {
  const url = await server.createDatabase('vault');
  const db = await openDb({ url, entities: [DataKeyRecord], migrations, log });
  const wrapper = createLocalKeyProvider({ masterKey: randomBytes(32) });
  try {
    await measure(db, wrapper);
  } finally {
    await db.close();
  }
} finally {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}

async function measure(db: Db, wrapper: ReturnType<typeof createLocalKeyProvider>): Promise<void> {
  const place: SealedPlace = { tenantId: 'bench', id: 'credential', field: 'credential', version: 1 };
  const keys = await createDataKeys({ db, clock: systemClock, log, wrapper });
  const vault = createVault(keys);
  const sealed = await vault.seal(JSON.stringify({ token: randomBytes(40).toString('hex') }), place);

  const kept: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1)
    kept.push(await time(() => vault.openSecret(sealed, place)));
  const cold: number[] = [];
  for (let round = 0; round < COLD_ROUNDS; round += 1) {
    // A process that has just started: reads the tenant's keys and unwraps the one that is needed.
    const fresh = await createDataKeys({ db, clock: systemClock, log, wrapper });
    cold.push(await time(() => createVault(fresh).openSecret(sealed, place)));
    await fresh.close();
  }
  await keys.close();
  console.log('| one use of a secret, in ms | p50 | p95 | p99 |\n| --- | --- | --- | --- |');
  for (const [name, times] of Object.entries({ 'key in memory': kept, 'cold, local key provider': cold })) {
    console.log(`| ${name} | ${[0.5, 0.95, 0.99].map((share) => quantile(times, share)).join(' | ')} |`);
  }
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function quantile(times: readonly number[], share: number): string {
  const sorted = times.toSorted((a, b) => a - b);
  return (sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(3);
}
