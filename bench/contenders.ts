import { fork } from 'node:child_process';
import { join } from 'node:path';
import { firstMessage } from './child.js';
import { type BenchServer, query } from './database.js';
import type { Sort } from './delivery.js';
import { FLOOR_TABLES } from './floor-journal.js';
import type { Target } from './load.js';
import { type RunningTributary, connect, startTributary } from './tributary.js';

/** A server that takes the deliveries, in processes of its own. */
export interface Contender {
  readonly name: string;
  readonly pids: readonly number[];
  readonly target: Target;
  /** Where it stores; absent for the floor that stores nothing. */
  readonly databaseUrl?: string;
  stop(): Promise<void> | void;
}

/** What every ratio is taken of. */
export const FLOOR = 'floor: verify + store';

const SECRET = 'a secret of the bench, as long as a real one';

export async function startFloors(server: BenchServer, sort: Sort): Promise<Contender[]> {
  const databaseUrl = await server.createDatabase('floor');
  await query(databaseUrl, FLOOR_TABLES);
  return [await startFloor('floor: verify', sort), await startFloor(FLOOR, sort, databaseUrl)];
}

async function startFloor(name: string, sort: Sort, databaseUrl?: string): Promise<Contender> {
  const child = fork(new URL('floor-server.ts', import.meta.url), {
    env: { ...process.env, FLOOR_SECRET: SECRET, FLOOR_SORT: sort, DATABASE_URL: databaseUrl },
  });
  const port = await firstMessage<number>(child);
  return {
    name,
    pids: [child.pid ?? 0],
    target: { urls: [`http://127.0.0.1:${port}/`], secret: SECRET },
    ...(databaseUrl && { databaseUrl }),
    stop: () => void child.kill(),
  };
}

export interface ContenderOptions {
  readonly name: string;
  readonly checkout: string;
  readonly server: BenchServer;
  readonly folder: string;
  readonly sort: Sort;
  /** How many share the work. */
  readonly processes: number;
}

/** Tributary as built in the checkout, with a database and a data dir of its own and one connection. */
export async function startContender(options: ContenderOptions): Promise<Contender> {
  const { name, checkout, server, folder, sort, processes } = options;
  const databaseUrl = await server.createDatabase(name.replaceAll(/\W+/g, '_'));
  const running: RunningTributary[] = [];
  const stop = async () => void (await Promise.all(running.map((one) => one.stop())));
  try {
    // One after the other: the first one migrates.
    for (let n = 0; n < processes; n += 1) {
      running.push(await startTributary({ checkout, dataDir: join(folder, name), databaseUrl }));
    }
    return {
      name,
      pids: running.map(({ pid }) => pid),
      target: await targetOf(running, sort),
      databaseUrl,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The first one is asked to connect; the same address is good at all of them. */
async function targetOf(running: readonly RunningTributary[], sort: Sort): Promise<Target> {
  const [first] = running;
  if (!first) throw new Error('a contender has at least one process');
  const { urls, secret } = await connect(first, sort);
  const path = new URL(urls[0] ?? '').pathname;
  return { urls: running.map(({ address }) => address + path), secret };
}
