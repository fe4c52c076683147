/** `npm run bench:receipts`: what the receipts' log costs. See README.md beside. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Pool } from 'pg';
import { readConfig } from '../src/config.js';
import { systemClock } from '../src/core/clock.js';
import { type Db, openDb } from '../src/core/db.js';
import { createLog } from '../src/core/log.js';
import { createMetrics } from '../src/core/metrics.js';
import { createDataKeys } from '../src/credential/data-keys.js';
import { createLocalKeyProvider } from '../src/credential/key-provider/local.js';
import { createVault } from '../src/credential/vault.js';
import { entities } from '../src/entities.js';
import { migrations } from '../src/migrations/index.js';
import { addReceipt, toReceipt } from '../src/receipt/log.js';
import { type ReceiptServices, createReceiptServices } from '../src/receipt/services.js';
import { verifyReceipts } from '../src/receipt/verify.js';
import { openBenchServer, query } from './database.js';
import { measureActions } from './receipt-actions.js';

const { values } = parseArgs({
  options: {
    receipts: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '6' },
    'database-url': { type: 'string' },
  },
});
const RECEIPTS = Number(values.receipts);
const ROUNDS = Number(values.rounds);
const BATCH = 2_000;
const ROUND_MS = 3_000;
const WRITERS = 16;
const tenantId = 'bench';
const caller = { tenantId, subject: 'bench', scopes: new Set<string>(), correlationId: 'bench' };

const INSERT = `
  insert into receipts (id, tenant_id, operation, outcome, actor, correlation_id, request, result, occurred_at, leaf, salt)
  select r.id, r."tenantId", r.operation, r.outcome, r.actor, r."correlationId", r.request, r.result, r."occurredAt",
         r.leaf, decode(r.salt, 'base64')
  from jsonb_to_recordset($1::jsonb) as r(id uuid, "tenantId" text, operation text, outcome text, actor text,
    "correlationId" text, request jsonb, result jsonb, "occurredAt" timestamptz, leaf text, salt text)`;

const log = createLog('warn');
const folder = mkdtempSync(join(tmpdir(), 'tributary-bench-'));
const server = await openBenchServer(values['database-url'], folder);
try {
  const url = await server.createDatabase('receipts');
  const db = await openDb({ url, entities, migrations, log });
  const wrapper = createLocalKeyProvider({ masterKey: randomBytes(32) });
  const keys = await createDataKeys({ db, clock: systemClock, log, wrapper });
  const vault = createVault(keys);
  const deps = { db, clock: systemClock, log, vault, metrics: createMetrics(), config: readConfig({}) };
  const services = await createReceiptServices(deps);
  try {
    console.log(`PostgreSQL ${server.version}, ${RECEIPTS} receipts\n\n| what | figure |\n| --- | --- |`);
    await compareActions(await server.createDatabase('actions'));
    await measureWriters(db, services);
    await measureSequencing(url, services);
    await measureProofs(url, services);
    await measureExport(services);
  } finally {
    await services.receiptProofs.close();
    await keys.close();
    await db.close();
  }
} finally {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}

function draft(n: number) {
  return {
    tenantId,
    operation: 'integration.action.github.add_issue_comment',
    outcome: 'SUCCESS' as const,
    actor: 'somebody@example.com',
    correlationId: `decision-${n}`,
    request: {
      idempotency_key: `key-${n}`,
      input: { project: 'acme/greenhouse', issue: '7' },
      body_sha256: 'x'.repeat(64),
    },
    result: {
      status: 'SUCCEEDED',
      attempts: 1,
      externalId: String(n),
      url: `https://github.com/acme/greenhouse/issues/7#${n}`,
    },
    occurredAt: new Date(),
  };
}

/** What the sequencer costs where there is more to do than to leave a receipt. */
async function compareActions(databaseUrl: string): Promise<void> {
  const turns = await measureActions({
    databaseUrl,
    dataDir: join(folder, 'actions'),
    turns: ROUNDS,
    turnMs: ROUND_MS,
    lanes: WRITERS,
  });
  const ratios = turns.map(({ on, off }) => on / off);
  tell('whole actions/s with the sequencer', Math.round(median(turns.map(({ on }) => on))));
  const spread = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`;
  tell('of that without', `${median(ratios).toFixed(2)} (${spread})`);
}

/** Transactions that do nothing but leave a receipt, which is the worst case, with the sequencer and without. */
async function measureWriters(db: Db, services: ReceiptServices): Promise<void> {
  const ratios: number[] = [];
  const rates: number[] = [];
  await write(db);
  for (let round = 0; round < ROUNDS; round += 1) {
    const isFirst = round % 2 === 0;
    const [one, other] = [
      await writeBeside(db, services, isFirst),
      await writeBeside(db, services, !isFirst),
    ];
    const [on, off] = isFirst ? [one, other] : [other, one];
    ratios.push(on / off);
    rates.push(on);
  }
  const spread = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`;
  tell('receipts/s written with the sequencer, a transaction each', Math.round(median(rates)));
  tell('of that without', `${median(ratios).toFixed(2)} (${spread})`);
}

/** Receipts a second. What the sequencer has left is done before the next turn. */
async function writeBeside(db: Db, { sequencer }: ReceiptServices, isSequencing: boolean): Promise<number> {
  const stop = isSequencing ? sequencer.follow() : async () => {};
  const rate = await write(db);
  await stop();
  await sequencer.run();
  return rate;
}

async function write(db: Db): Promise<number> {
  const end = performance.now() + ROUND_MS;
  let count = 0;
  await Promise.all(
    Array.from({ length: WRITERS }, async () => {
      while (performance.now() < end) {
        await db.for(caller).transactional(async (transaction) => addReceipt(transaction, draft(count)));
        count += 1;
      }
    }),
  );
  return count / (ROUND_MS / 1_000);
}

/** A backlog, so that the sequencer and nothing else is what takes time. */
async function measureSequencing(url: string, { sequencer }: ReceiptServices): Promise<void> {
  const pool = new Pool({ connectionString: url, max: 1 });
  for (let start = 0; start < RECEIPTS; start += BATCH) await insert(pool, Math.min(BATCH, RECEIPTS - start));
  await pool.end();
  const seconds = await time(() => sequencer.run());
  tell('receipts/s sequenced of a backlog', Math.round(RECEIPTS / seconds));
  const [size] = await query<{ bytes: number }>(
    url,
    `select ((pg_total_relation_size('receipt_leaves') + pg_total_relation_size('receipt_nodes'))
             / (select count(*) from receipt_leaves))::int as bytes`,
  );
  tell('bytes a receipt for leaf and nodes, indexes included', size?.bytes ?? 0);
}

async function insert(pool: Pool, count: number): Promise<void> {
  const rows = Array.from({ length: count }, (_, n) => {
    const { salt, ...receipt } = toReceipt(draft(n));
    return { ...receipt, salt: salt.toString('base64') };
  });
  await pool.query(INSERT, [JSON.stringify(rows)]);
}

async function measureProofs(url: string, { receiptProofs }: ReceiptServices): Promise<void> {
  const rows = await query<{ receipt_id: string }>(
    url,
    `select receipt_id from receipt_leaves where tenant_id = '${tenantId}' order by random() limit 2000`,
  );
  const ids = rows.map((row) => row.receipt_id);
  const times: number[] = [];
  for (const id of ids.slice(0, 1_000))
    times.push((await time(() => receiptProofs.of(caller, [id]))) * 1_000);
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? NaN).toFixed(2);
  tell('one proof, ms: p50 · p95 · p99', [at(0.5), at(0.95), at(0.99)].join(' · '));
  const page = await time(() => receiptProofs.of(caller, ids.slice(0, 200)));
  tell('200 proofs together, ms', (page * 1_000).toFixed(1));
}

async function measureExport({ receiptExports, checkpointKeys }: ReceiptServices): Promise<void> {
  let [peak, bytes, lines] = [0, 0, 0];
  const before = process.memoryUsage().rss;
  const exported = await receiptExports.export(caller, {});
  const seconds = await time(async () => {
    for await (const text of exported) {
      bytes += Buffer.byteLength(text);
      lines += 1;
      peak = Math.max(peak, process.memoryUsage().rss);
    }
  });
  tell('receipts/s exported', Math.round(RECEIPTS / seconds));
  tell('bytes a receipt in the export', Math.round(bytes / RECEIPTS));
  tell('memory above the start while exporting, MiB', ((peak - before) / 2 ** 20).toFixed(0));
  tell('pages', lines - 1);
  const keys = await checkpointKeys.list();
  const chunks = (async function* toBytes() {
    for await (const text of await receiptExports.export(caller, {})) yield Buffer.from(text);
  })();
  let result: Awaited<ReturnType<typeof verifyReceipts>> | undefined;
  const both = await time(async () => (result = await verifyReceipts(chunks, { keys, isWhole: true })));
  tell('receipts/s exported and verified', Math.round(RECEIPTS / both));
  if (!result?.isGenuine) throw new Error(`The export does not verify: ${JSON.stringify(result)}`);
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

function tell(what: string, figure: string | number): void {
  console.log(`| ${what} | ${figure} |`);
}
