import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type BenchServer, query } from './database.js';
import { FLOOR_TABLES } from './floor-journal.js';
import type { Target } from './load.js';
import { connectGitHub, startTributary } from './tributary.js';

/** A server that takes the deliveries, in a process of its own. */
export interface Contender {
  readonly name: string;
  readonly pid: number;
  readonly target: Target;
  /** Where it stores; absent for the floor that stores nothing. */
  readonly databaseUrl?: string;
  stop(): Promise<void> | void;
}

/** What every ratio is taken of. */
export const FLOOR = 'floor: verify + store';

const SECRET = 'a secret of the bench, as long as a real one';

export async function startFloors(server: BenchServer): Promise<Contender[]> {
  const databaseUrl = await server.createDatabase('floor');
  await query(databaseUrl, FLOOR_TABLES);
  return [await startFloor('floor: verify'), await startFloor(FLOOR, databaseUrl)];
}

async function startFloor(name: string, databaseUrl?: string): Promise<Contender> {
  const child = fork(new URL('floor-server.ts', import.meta.url), {
    env: { ...process.env, FLOOR_SECRET: SECRET, DATABASE_URL: databaseUrl },
  });
  const [port] = (await once(child, 'message')) as [number];
  return {
    name,
    pid: child.pid ?? 0,
    target: { url: `http://127.0.0.1:${port}/`, secret: SECRET },
    ...(databaseUrl && { databaseUrl }),
    stop: () => void child.kill(),
  };
}

/** Tributary as built in the checkout, with a database and a data dir of its own and one connection. */
export async function startContender(
  name: string,
  checkout: string,
  server: BenchServer,
  folder: string,
): Promise<Contender> {
  const databaseUrl = await server.createDatabase(name);
  const tributary = await startTributary({ checkout, dataDir: join(folder, name), databaseUrl });
  return {
    name,
    pid: tributary.pid,
    target: await connectGitHub(tributary),
    databaseUrl,
    stop: () => tributary.stop(),
  };
}
