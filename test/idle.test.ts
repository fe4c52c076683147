import { expect, it } from 'vitest';
import { useTestApp } from './support/app.js';
import { useStatementLine } from './support/statement-line.js';

const RUNS = /^tributary_job_runs_total\{job="poll",outcome="done"\} (\d+)$/m;

it('a worker with nothing to do asks the database about ten times for each look at what is to be polled', async () => {
  const line = await useStatementLine();
  const { app, url } = await useTestApp({ via: line.url });
  await app.startWorking();
  // Two a second, whatever else the machine does: what goes on beside them is in proportion.
  const runs = async () => Number(RUNS.exec(await (await fetch(`${url}/metrics`)).text())?.[1] ?? 0);
  await expect.poll(runs).toBeGreaterThanOrEqual(6);
  const [before, asked] = [await runs(), line.count()];
  await expect.poll(runs, { timeout: 90_000, interval: 200 }).toBeGreaterThanOrEqual(before + 40);
  const each = (line.count() - asked) / ((await runs()) - before);
  expect(each).toBeLessThan(14);
  expect(each).toBeGreaterThan(1);
});

it('a process that nobody asks anything does not ask the database either', async () => {
  const line = await useStatementLine();
  await useTestApp({ via: line.url });
  expect(line.count()).toBeGreaterThan(0);
  // Longer than anything here waits between two looks.
  await expect.poll(line.quietMs).toBeGreaterThan(2_500);
});
