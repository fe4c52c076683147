import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectByLine } from '../../test/support/redis-line.js';
import { type RedisServer, findOrStartRedis } from '../../test/support/redis-server.js';
import { type Counter, createCounter, createLimiter } from './limiter.js';
import { createShared } from './shared.js';

const log = pino({ level: 'silent' });

/** The server may be shared with other tests and outlive this one. */
const uniqueName = (): string => crypto.randomUUID();

function counterOn(redis?: Parameters<typeof createShared>[0]['redis'], name = uniqueName()): Counter {
  return createCounter({ name, durationSeconds: 60, shared: createShared({ redis, log }) });
}

describe('a limiter in the process', () => {
  it('gives so many points, then says how long there are none', async () => {
    const limiter = createLimiter({ points: 2, durationSeconds: 60, name: 'limiter' });
    expect([await limiter.take('a'), await limiter.take('a')]).toEqual([0, 0]);
    const waitMs = await limiter.take('a');
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(60_000);
  });

  it('counts each key for itself', async () => {
    const limiter = createLimiter({ points: 1, durationSeconds: 60, name: 'limiter' });
    expect([await limiter.take('a'), await limiter.take('b')]).toEqual([0, 0]);
  });

  it('starts again when the window is over', async () => {
    const limiter = createLimiter({ points: 1, durationSeconds: 0.05, name: 'limiter' });
    await limiter.take('a');
    await expect.poll(() => limiter.take('a')).toBe(0);
  });
});

let server: RedisServer;
beforeAll(async () => void (server = await findOrStartRedis()));
afterAll(() => server.stop());

describe.each([
  ['in the process', async () => counterOn()],
  ['in Redis', async () => counterOn((await connectByLine(server.url)).redis)],
])('a count %s', (_, start) => {
  it('adds and gives back', async () => {
    const counter = await start();
    expect(await counter.read('a')).toBeUndefined();
    await counter.add('a', 2);
    const added = await counter.add('a', 5);
    expect(added).toMatchObject({ consumed: 7 });
    expect(added.resetsInMs).toBeGreaterThan(50_000);
    expect(added.resetsInMs).toBeLessThanOrEqual(60_000);
    await added.giveBack();
    expect(await counter.read('a')).toMatchObject({ consumed: 2 });
    expect(await counter.read('b')).toBeUndefined();
  });

  it('is corrected, with the end of its window', async () => {
    const counter = await start();
    await counter.add('a', 1);
    await counter.set('a', 40, 300_000);
    const added = await counter.add('a', 1);
    expect(added.consumed).toBe(41);
    expect(added.resetsInMs).toBeGreaterThan(290_000);
  });

  it('forgets a window that is over, also one that was corrected to end within the second', async () => {
    const counter = await start();
    await counter.set('a', 40, 10);
    const added = await counter.add('a', 1);
    await expect.poll(() => counter.read('a')).toBeUndefined();
    await added.giveBack();
    expect(await counter.read('a')).toBeUndefined();
  });
});

describe('a count in Redis', () => {
  it('is one over all processes', async () => {
    const [one, other] = [await connectByLine(server.url), await connectByLine(server.url)];
    const name = uniqueName();
    const [here, there] = [counterOn(one.redis, name), counterOn(other.redis, name)];
    await here.add('a', 1);
    expect((await there.add('a', 1)).consumed).toBe(2);
    expect((await here.read('a'))?.consumed).toBe(2);
  });

  it('is kept by the process while Redis is gone, and shared again when it is back', async () => {
    const line = await connectByLine(server.url);
    const counter = counterOn(line.redis);
    await counter.add('a', 10);
    await line.cut();
    expect([(await counter.add('a', 1)).consumed, (await counter.add('a', 1)).consumed]).toEqual([1, 2]);
    await line.mend();
    await expect.poll(async () => (await counter.read('a'))?.consumed).toBe(10);
    expect((await counter.add('a', 1)).consumed).toBe(11);
  });

  it('gives back where it has taken from', async () => {
    const line = await connectByLine(server.url);
    const counter = counterOn(line.redis);
    const added = await counter.add('a', 1);
    await line.cut();
    await counter.add('a', 1);
    await expect(added.giveBack()).rejects.toThrow(/enableOfflineQueue|closed/);
    expect((await counter.read('a'))?.consumed).toBe(1);
  });

  it('does not wait for a Redis that has frozen, and asks it once in a while only', async () => {
    const line = await connectByLine(server.url);
    const counter = counterOn(line.redis);
    line.freeze();
    const startedAt = performance.now();
    for (let n = 1; n <= 10; n += 1) expect((await counter.add('a', 1)).consumed).toBe(n);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});
