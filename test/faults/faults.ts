import { expect } from 'vitest';
import type { FaultProxy } from '../support/fault-proxy.js';
import type { World } from './world.js';

/** Something that goes wrong, and how it is mended. */
export interface Fault {
  readonly name: string;
  /** Whether anything can be taken meanwhile. */
  readonly during: 'acknowledged' | 'repeated';
  strike(world: World): Promise<void> | void;
  mend(world: World): Promise<void> | void;
}

type Line = readonly [name: string, of: (world: World) => FaultProxy];

const lines: readonly Line[] = [
  ['callers – first API', ({ apis }) => apis[0].front],
  ['callers – second API', ({ apis }) => apis[1].front],
  ['first API – PostgreSQL', ({ apis }) => apis[0].database],
  ['second API – PostgreSQL', ({ apis }) => apis[1].database],
  ['worker – PostgreSQL', ({ worker }) => worker.database],
  ['first API – Redis', ({ apis }) => apis[0].redis],
  ['second API – Redis', ({ apis }) => apis[1].redis],
  ['worker – Redis', ({ worker }) => worker.redis],
];

const DELAY_MS = 30;
const CUT_EVERY_MS = 40;

const cutOf = ([name, of]: Line): Fault => ({
  name: `cut: ${name}`,
  during: 'acknowledged',
  strike: (world) => of(world).cut(),
  mend: (world) => of(world).mend(),
});

const frozen = ([name, of]: Line): Fault => ({
  name: `frozen: ${name}`,
  during: 'acknowledged',
  strike: (world) => of(world).freeze(),
  mend: (world) => of(world).mend(),
});

const delayed = ([name, of]: Line): Fault => ({
  name: `delayed by ${DELAY_MS} ms: ${name}`,
  during: 'acknowledged',
  strike: (world) => of(world).delay(DELAY_MS),
  mend: (world) => of(world).mend(),
});

/** A new server can't start before the old one's last children have noticed. */
async function restart({ postgres }: World): Promise<void> {
  const attempt = () => postgres.start().then(() => 'up', String);
  await expect.poll(attempt, { timeout: 60_000, interval: 200 }).toBe('up');
}

const killApi: Fault = {
  name: 'kill -9: first API',
  during: 'acknowledged',
  strike: ({ apis }) => apis[0].kill(),
  mend: ({ apis }) => apis[0].start(),
};

const killWorker: Fault = {
  name: 'kill -9: worker',
  during: 'acknowledged',
  strike: ({ worker }) => worker.kill(),
  mend: ({ worker }) => worker.start(),
};

/** It is the job store as well, unless MONGODB_URL names another. */
const killPostgres: Fault = {
  name: 'kill -9: PostgreSQL',
  during: 'repeated',
  strike: ({ postgres }) => postgres.end('SIGKILL'),
  mend: restart,
};

const killRedis: Fault = {
  name: 'kill -9: Redis',
  during: 'acknowledged',
  strike: ({ redis }) => redis.end('SIGKILL'),
  mend: ({ redis }) => redis.start(),
};

const clockJump: Fault = {
  name: 'clock of the first API an hour ahead, and back',
  during: 'acknowledged',
  strike: ({ apis }) => apis[0].send('SIGUSR2'),
  mend: ({ apis }) => apis[0].send('SIGUSR2'),
};

const fullDisk: Fault = {
  name: 'full disk: PostgreSQL',
  during: 'repeated',
  strike: async ({ disk }) => disk?.fill(),
  async mend(world) {
    await world.disk?.free();
    // It may have given up meanwhile; one that runs is taken over.
    await restart(world);
  },
};

function randomCuts(): Fault {
  let timer: NodeJS.Timeout | undefined;
  return {
    name: `a random connection of callers cut every ${CUT_EVERY_MS} ms`,
    during: 'acknowledged',
    strike({ apis }) {
      timer = setInterval(() => apis[Math.round(Math.random()) as 0 | 1].front.cutOne(), CUT_EVERY_MS);
    },
    mend: () => clearInterval(timer),
  };
}

/** For every run of the tests: one of each sort that has found something elsewhere. */
export const shortForm = (): readonly Fault[] => [killApi, cutOf(lines[3]!), randomCuts(), killPostgres];

/** All of them, for `npm run faults`. */
export const longForm = (hasDisk: boolean): readonly Fault[] => [
  killApi,
  killWorker,
  killPostgres,
  killRedis,
  ...lines.map(cutOf),
  ...lines.map(delayed),
  ...lines.map(frozen),
  clockJump,
  randomCuts(),
  ...(hasDisk ? [fullDisk] : []),
];
