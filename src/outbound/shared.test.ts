import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestClock } from '../../test/support/clock.js';
import { connectByLine } from '../../test/support/redis-line.js';
import { type RedisServer, findOrStartRedis } from '../../test/support/redis-server.js';
import { createShared, createSharedRecords } from './shared.js';

const log = pino({ level: 'silent' });
const clock = createTestClock();

let server: RedisServer;
beforeAll(async () => void (server = await findOrStartRedis()));
afterAll(() => server.stop());

const inProcess = () => createSharedRecords(createShared({ log }), clock);

async function inRedis() {
  const line = await connectByLine(server.url);
  return { line, records: createSharedRecords(createShared({ redis: line.redis, log }), clock) };
}

describe.each([
  ['in the process', async () => inProcess()],
  ['in Redis', async () => (await inRedis()).records],
])('records %s', (_, start) => {
  it('are set, added once, and deleted', async () => {
    const [records, name] = [await start(), crypto.randomUUID()];
    expect(await records.get(name)).toBeUndefined();
    expect([await records.add(name, 'a', 60_000), await records.add(name, 'b', 60_000)]).toEqual([
      true,
      false,
    ]);
    expect(await records.get(name)).toBe('a');
    await records.set(name, 'c', 60_000);
    expect(await records.get(name)).toBe('c');
    await records.delete(name);
    expect(await records.get(name)).toBeUndefined();
    expect(await records.add(name, 'd', 60_000)).toBe(true);
  });

  it('are over after their lifetime', async () => {
    const [records, name] = [await start(), crypto.randomUUID()];
    await records.set(name, 'a', 20);
    await expect.poll(() => records.get(name)).toBeUndefined();
  });
});

describe('records in Redis', () => {
  it('are one for all processes: of several that add at once one has it', async () => {
    const [here, there] = [await inRedis(), await inRedis()];
    const name = crypto.randomUUID();
    const adding = [here, there, here, there].map(({ records }) => records.add(name, 'a', 60_000));
    expect((await Promise.all(adding)).filter((isFirst) => isFirst)).toHaveLength(1);
  });

  it('stay known to the process that wrote them while Redis is gone, and are shared when it is back', async () => {
    const [here, there] = [await inRedis(), await inRedis()];
    const name = crypto.randomUUID();
    await here.records.set(name, 'a', 60_000);
    await here.line.cut();
    expect(await here.records.get(name)).toBe('a');
    expect(await here.records.add(name, 'b', 60_000)).toBe(false);
    await there.records.set(name, 'c', 60_000);
    await here.line.mend();
    await expect.poll(() => here.records.get(name)).toBe('c');
  });
});
