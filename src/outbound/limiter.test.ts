import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type RedisServer, findOrStartRedis } from '../../test/support/redis-server.js';
import { connectRedis } from '../core/redis.js';
import { createLimiter } from './limiter.js';

const log = pino({ level: 'silent' });
const rule = { points: 2, durationSeconds: 60 };

/** The server may be shared with other tests and outlive this one. */
const uniqueName = (): string => crypto.randomUUID();

describe('in the process', () => {
  it('gives so many points, then says how long there are none', async () => {
    const limiter = createLimiter({ ...rule, name: uniqueName() });
    expect([await limiter.take('a'), await limiter.take('a')]).toEqual([0, 0]);
    const waitMs = await limiter.take('a');
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(60_000);
  });

  it('counts each key for itself', async () => {
    const limiter = createLimiter({ ...rule, points: 1, name: uniqueName() });
    expect([await limiter.take('a'), await limiter.take('b')]).toEqual([0, 0]);
  });

  it('starts again when the window is over', async () => {
    const limiter = createLimiter({ points: 1, durationSeconds: 0.05, name: uniqueName() });
    await limiter.take('a');
    const waitMs = await limiter.take('a');
    await new Promise((resolve) => setTimeout(resolve, waitMs + 20));
    expect(await limiter.take('a')).toBe(0);
  });
});

describe('shared by Redis', () => {
  let server: RedisServer;
  beforeAll(async () => void (server = await findOrStartRedis()));
  afterAll(() => server.stop());

  /** A client on a line that can be cut, whoever owns the server behind it. */
  async function connectByLine(): Promise<{ redis: Redis; cut(): void; freeze(): void }> {
    const target = new URL(server.url);
    const sockets = new Set<Socket>();
    const proxy = createServer((near) => {
      const far = connect(Number(target.port || 6379), target.hostname);
      for (const socket of [near, far]) sockets.add(socket.on('error', () => {}));
      near.pipe(far).pipe(near);
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const redis = connectRedis(`redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`, log);
    await once(redis, 'ready');
    const cut = (): void => {
      proxy.close();
      for (const socket of sockets) socket.destroy();
    };
    onTestFinished(() => {
      redis.disconnect();
      cut();
    });
    return { redis, cut, freeze: () => [...sockets].forEach((socket) => socket.unpipe().pause()) };
  }

  it('counts over all processes together', async () => {
    const [one, other] = [await connectByLine(), await connectByLine()];
    const name = uniqueName();
    const [here, there] = [one, other].map(({ redis }) => createLimiter({ ...rule, name, redis }));
    expect([await here?.take('a'), await there?.take('a')]).toEqual([0, 0]);
    expect(await here?.take('a')).toBeGreaterThan(0);
    expect(await there?.take('a')).toBeGreaterThan(0);
    expect(await there?.take('b')).toBe(0);
  });

  it('counts in the process while Redis is gone', async () => {
    const { redis, cut } = await connectByLine();
    const limiter = createLimiter({ ...rule, name: uniqueName(), redis });
    await limiter.take('a');
    const closed = once(redis, 'close');
    cut();
    await closed;
    expect([await limiter.take('a'), await limiter.take('a')]).toEqual([0, 0]);
    expect(await limiter.take('a')).toBeGreaterThan(0);
  });

  it('does not wait for a Redis that has frozen', async () => {
    const { redis, freeze } = await connectByLine();
    const limiter = createLimiter({ ...rule, name: uniqueName(), redis });
    freeze();
    const startedAt = performance.now();
    expect(await limiter.take('a')).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(1_500);
  });
});
