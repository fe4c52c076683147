import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { connectRedis } from '../../src/core/redis.js';

/** A client on a line to Redis that can be cut and mended, whoever owns the server behind it. */
export interface RedisLine {
  readonly redis: Redis;
  /** Resolves when the client has noticed. */
  cut(): Promise<void>;
  /** Resolves when the client is connected again. */
  mend(): Promise<void>;
  /** Nothing passes any more, and nobody is told. */
  freeze(): void;
}

/** Closed when the running test ends. */
export async function connectByLine(serverUrl: string): Promise<RedisLine> {
  const target = new URL(serverUrl);
  const sockets = new Set<Socket>();
  const proxy = createServer((near) => {
    const far = connect(Number(target.port || 6379), target.hostname);
    for (const socket of [near, far]) sockets.add(socket.on('error', () => {}));
    near.pipe(far).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as AddressInfo;
  const redis = connectRedis(`redis://127.0.0.1:${port}`, pino({ level: 'silent' }));
  await once(redis, 'ready');
  const drop = (): void => {
    proxy.close();
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  onTestFinished(() => {
    redis.disconnect();
    drop();
  });
  return {
    redis,
    async cut() {
      const closed = once(redis, 'close');
      drop();
      await closed;
    },
    async mend() {
      const ready = once(redis, 'ready');
      proxy.listen(port, '127.0.0.1');
      await ready;
    },
    freeze: () => [...sockets].forEach((socket) => socket.unpipe().pause()),
  };
}
