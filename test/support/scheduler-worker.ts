/**
 * `scheduler-worker.ts <databaseUrl> <behavior>`: a worker as a process, for tests that end it. Its one keyed job,
 * `errand`, prints the key and attempt and then does what the behavior says: `hang`, `slow` (one second) or `die`. With
 * `tick` it has a recurring job as well, which says how often it ran. SIGTERM drains, as the product does.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createLog } from '../../src/core/log.js';
import { type Run, createScheduler } from '../../src/core/scheduler/index.js';

const [databaseUrl = '', behavior = ''] = process.argv.slice(2);

const bodies: Readonly<Record<string, () => Promise<unknown>>> = {
  hang: () => new Promise(() => {}),
  slow: () => delay(1_000),
  die: async () => process.kill(process.pid, 'SIGKILL'),
};

const scheduler = await createScheduler({ databaseUrl, log: createLog('warn') });
scheduler.define({
  name: 'errand',
  lockSeconds: 1,
  maxAttempts: 2,
  expected: async () => [],
  exhausted: async ({ key }: Run) => console.log(`exhausted ${key}`),
  async run({ key, attempt }) {
    console.log(`began ${key} ${attempt}`);
    await bodies[behavior]?.();
    console.log(`ended ${key}`);
  },
});
let ticks = 0;
if (behavior === 'tick')
  scheduler.define({
    name: 'tick',
    every: { seconds: 0.5 },
    lockSeconds: 6,
    run: async () => console.log(`ticked ${(ticks += 1)}`),
  });
process.on('SIGTERM', () => {
  void (async () => {
    const isDone = await scheduler.drain(5_000);
    await scheduler.close();
    process.exit(isDone ? 0 : 1);
  })();
});
await scheduler.start();
console.log('started');
