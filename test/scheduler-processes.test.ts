import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { migrate } from '../src/core/db.js';
import { startEmbeddedPostgres } from '../src/core/embedded-postgres/index.js';
import { createLog } from '../src/core/log.js';
import { migrations } from '../src/migrations/index.js';
import { keyed, postgresStore, startWorker, useScheduler } from './support/scheduler.js';

const silent = createLog('silent');

describe('worker processes', () => {
  it('take over from one that was killed in the middle of a job', async () => {
    const { urls, database, jobs } = await postgresStore.open();
    const first = startWorker(database.url, 'hang');
    await first.said('started');
    const scheduler = await useScheduler(urls);
    const attempts: number[] = [];
    scheduler.define(
      keyed({ name: 'errand', lockSeconds: 1, run: async ({ attempt }) => void attempts.push(attempt) }),
    );
    await scheduler.schedule('errand', { key: 'a', data: null });
    await first.said('began a 1');
    await scheduler.start();
    first.signal('SIGKILL');
    expect(await first.ended).toBe('SIGKILL');
    await expect.poll(jobs).toEqual([]);
    expect(attempts).toEqual([2]);
  });

  it('finish what they do when told to stop, begin nothing more, and are gone soon', async () => {
    const { urls, database } = await postgresStore.open();
    const worker = startWorker(database.url, 'slow');
    await worker.said('started');
    const scheduler = await useScheduler(urls);
    scheduler.define(keyed({ name: 'errand', run: async () => {} }));
    for (const key of ['a', 'b']) await scheduler.schedule('errand', { key, data: null });
    await expect.poll(() => worker.lines.length).toBe(2);
    worker.signal('SIGTERM');
    expect(await worker.ended).toBe(0);
    const [, began = '', ended] = worker.lines;
    expect(worker.lines).toHaveLength(3);
    expect(ended).toBe(`ended ${began.split(' ')[1]}`);
    expect(await database.query('select locked_at from jobs.agenda_jobs')).toEqual([{ locked_at: null }]);
  });

  it('give up a job that kills each process that tries it', async () => {
    const { urls, database, jobs } = await postgresStore.open();
    const scheduler = await useScheduler(urls);
    scheduler.define(keyed({ name: 'errand', run: async () => {} }));
    await scheduler.schedule('errand', { key: 'poison', data: null });
    for (const attempt of [1, 2]) {
      const worker = startWorker(database.url, 'die');
      await worker.said(`began poison ${attempt}`);
      expect(await worker.ended).toBe('SIGKILL');
    }
    const third = startWorker(database.url, 'die');
    await third.said('exhausted poison');
    await expect.poll(jobs).toEqual([]);
    // Agenda itself has not seen one failure.
    expect(third.lines).toEqual(['started', 'exhausted poison']);
  });

  it('go on by themselves when PostgreSQL was restarted in the middle of a job', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'tributary-scheduler-'));
    let server = await startEmbeddedPostgres({ dataDir });
    onTestFinished(async () => {
      await server.stop();
      await rm(dataDir, { recursive: true });
    });
    await migrate(server.url, migrations, silent);
    const line = await startLine(() => Number(new URL(server.url).port));
    const url = new URL(server.url);
    url.port = String(line.port);
    const scheduler = await useScheduler({ databaseUrl: url.href });
    const restarted = Promise.withResolvers<void>();
    const done: string[] = [];
    let began = 0;
    scheduler.define(
      keyed({
        name: 'errand',
        lockSeconds: 1,
        async run({ key }) {
          began += 1;
          await restarted.promise;
          done.push(key);
        },
      }),
    );
    let ticks = 0;
    scheduler.define({
      name: 'tick',
      every: { seconds: 0.2 },
      lockSeconds: 1,
      run: async () => void (ticks += 1),
    });
    await scheduler.start();
    await scheduler.schedule('errand', { key: 'a', data: null });
    await expect.poll(() => began).toBe(1);
    await server.stop();
    server = await startEmbeddedPostgres({ dataDir });
    restarted.resolve();
    const before = ticks;
    await expect.poll(() => ticks).toBeGreaterThan(before + 2);
    await scheduler.schedule('errand', { key: 'b', data: null }).catch(() => {});
    await expect.poll(() => done.includes('a') && done.includes('b')).toBe(true);
  });
});

/** One address for a server that takes another port at each start. Closed when the test ends. */
async function startLine(port: () => number): Promise<AddressInfo> {
  const line = createServer((near) => {
    const far = connect(port(), '127.0.0.1');
    near.on('error', () => far.destroy()).on('close', () => far.destroy());
    far.on('error', () => near.destroy()).on('close', () => near.destroy());
    near.pipe(far).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(line, 'listening');
  onTestFinished(() => void line.close());
  return line.address() as AddressInfo;
}
