import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ReceiptCheckpointDocument } from '../schema/generated/operations.js';
import { verifyReceipts } from '../src/receipt/verify.js';
import { type TestApp, startTestApp } from './support/app.js';
import { type Receipts, openReceipts } from './support/receipts.js';

let app: TestApp;
let writer: Receipts;
let folder: string;
const EXPORT = '/v1/integrations/receipts/export';

beforeAll(async () => {
  app = await startTestApp();
  writer = await openReceipts(app.database.url);
  folder = await mkdtemp(join(tmpdir(), 'tributary-receipts-'));
});
afterAll(async () => {
  await writer.close();
  await app.close();
  await rm(folder, { recursive: true });
});

async function get(path: string, tenantId = 'acme', scope?: string): Promise<Response> {
  const { token } = await app.caller(tenantId, scope);
  return fetch(`${app.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
}

describe('the export over HTTP', () => {
  it('answers what verifies, for the caller’s tenant alone', async () => {
    await writer.add('acme', 1_234);
    await writer.add('globex', 3);
    await app.app.services.sequencer.run();
    const keys = await app.app.services.checkpointKeys.list();
    const response = await get(EXPORT);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/jsonl; charset=utf-8');
    const result = await verifyReceipts(response.body!, { keys, isWhole: true });
    expect(result).toMatchObject({ isGenuine: true, tenantId: 'acme', count: 1_234 });
    const theirs = await verifyReceipts((await get(EXPORT, 'globex')).body!, { keys });
    expect(theirs).toMatchObject({ isGenuine: true, tenantId: 'globex', count: 3 });
  });

  it('refuses what it can’t answer, and says what to do', async () => {
    const codeOf = async (response: Response): Promise<unknown> => {
      const { error } = (await response.json()) as { error: { code: string } };
      return [response.status, error.code];
    };
    expect(await codeOf(await get(EXPORT, 'nobody'))).toEqual([404, 'NOT_FOUND']);
    expect(await codeOf(await get(EXPORT, 'globex', 'integrations:read'))).toEqual([403, 'FORBIDDEN']);
    expect(await codeOf(await fetch(`${app.url}${EXPORT}`))).toEqual([401, 'UNAUTHENTICATED']);
    const { token } = await app.caller('globex');
    const headers = { authorization: `Bearer ${token}` };
    // Its answer would cost reading the whole log.
    expect((await fetch(`${app.url}${EXPORT}`, { method: 'HEAD', headers })).status).toBe(404);
    for (const query of ['from=yesterday', 'to=2026-13-01', 'since=x', 'since=0', 'since=99'])
      expect(await codeOf(await get(`${EXPORT}?${query}`, 'globex')), query).toEqual([400, 'INVALID_INPUT']);
  });

  it('takes what is read and no more: who stops reading costs nothing', async () => {
    const lines = await app.app.services.receiptExports.export(
      { tenantId: 'acme', subject: 'auditor', scopes: new Set(), correlationId: 'export' },
      {},
    );
    const reading = lines[Symbol.asyncIterator]();
    expect((await reading.next()).value).toMatch(/^\{"checkpoint"/);
    const page = (await reading.next()).value as string;
    expect(page.split('\n').length - 1).toBe(500);
    expect(await reading.return?.()).toMatchObject({ done: true });
  });
});

/** The command as people run it. Answers its exit code and what it said. */
function run(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return runIn('', ...args);
}

/** The same in a shell in which something was done before. */
function runIn(before: string, ...args: readonly string[]): ReturnType<typeof run> {
  return new Promise((resolve) => {
    const cli = ['--import', 'tsx', 'src/tributary.ts', 'verify-receipts', ...args];
    const shell = ['-c', `${before}\nexec "$@"`, 'sh', process.execPath, ...cli];
    const child = execFile('sh', shell, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

describe('the command verify-receipts', () => {
  it('needs a file and keys, and neither server nor database', async () => {
    await writer.add('initech', 5);
    await app.app.services.sequencer.run();
    const auditor = await app.caller('initech');
    const { receiptCheckpoint } = await auditor.get(ReceiptCheckpointDocument);
    await writer.add('initech', 4);
    await app.app.services.sequencer.run();
    const save = async (name: string, text: string): Promise<string> => {
      await writeFile(join(folder, name), text);
      return join(folder, name);
    };
    const text = await (await get(`${EXPORT}?since=5`, 'initech')).text();
    const file = await save('export.jsonl', text);
    const keys = await save('keys.json', await (await get('/.well-known/tributary-keys.json')).text());
    const older = await save('older.txt', receiptCheckpoint!.note);
    const altered = await save('altered.jsonl', text.replace('user-of-initech', 'user-of-someone'));
    const kept = join(folder, 'localhost', 'receipts', 'initech');
    await mkdir(kept, { recursive: true });
    for (const name of ['5', 'latest'])
      await save(`localhost/receipts/initech/${name}`, receiptCheckpoint!.note);
    const store = join(folder, 'localhost');
    // More than a process may open at once.
    const crowd = join(folder, 'crowd');
    await mkdir(crowd);
    for (let n = 0; n < 1_200; n += 1) await save(`crowd/${n}`, receiptCheckpoint!.note);
    const published = await readFile(keys, 'utf8');
    const [good, bad, careless, unseen, byContent, many] = await Promise.all([
      run(file, '--keys', keys, '--checkpoint', older, '--witness', store, '--all'),
      run(altered, '--keys', keys, '--checkpoint', older),
      run(file),
      run(file, '--keys', keys, '--witness', join(folder, 'nowhere')),
      run(file, '--key', published, '--checkpoint', older),
      runIn('ulimit -n 800', file, '--key', keys, '--witness', crowd, '--checkpoint', older),
    ]);
    const verified = 'Genuine: receipts 0 to 8 of 9 in localhost/receipts/initech (tenant initech).';
    const agreed = 'The witness saw no larger log, and 1 of its checkpoints are this one’s past.';
    const said = `${verified} ${agreed}\n`;
    expect(good).toEqual({ code: 0, stdout: said, stderr: '' });
    expect(bad).toMatchObject({ code: 1, stderr: '' });
    expect(bad.stdout).toMatch(
      /^Not genuine: line 2, receipt [0-9a-f-]{36}: the body is not the one in the log\.\n$/,
    );
    expect(byContent).toEqual({ code: 0, stdout: `${verified}\n`, stderr: '' });
    expect(many).toEqual(good);
    expect(unseen).toMatchObject({ code: 1, stderr: expect.stringContaining('nowhere can’t be read') });
    expect(careless).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'Name a key to trust, by --key or --keys.\n',
    });
  });
});
