import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../src/core/clock.js';
import type { CredentialKey } from '../src/credential/oauth/lease.js';
import { createOAuthClient } from '../src/credential/oauth/protocol.js';
import { createHttpClient } from '../src/outbound/client.js';
import { createEgressPolicy } from '../src/outbound/egress.js';
import {
  type TestAuthorizationServer,
  type TokenEvent,
  startAuthorizationServer,
} from './support/authorization-server.js';
import { type TestDatabase, useTestDatabase } from './support/database.js';
import {
  type CredentialRow,
  addConnection,
  expire,
  readCredential,
  storeTokens,
} from './support/oauth-credentials.js';
import type { RunnerOptions, RunnerReport } from './support/refresh-runner.js';

/** At first, at least, and when there were too few: a process takes longer to start than a round to play. */
const PROCESSES = { first: 4, least: 2, again: 3 };
const SEED = 20_261_121;
/** What is killed, and when: nothing; whoever sends, so many milliseconds after; or anyone, at any time. */
type Kill = 'nobody' | 'anyone' | { readonly senderAfterMs: number };

type Outcome = Extract<RunnerReport, { what: 'outcome' }>;

/** One process that shares the credential. */
interface Runner {
  readonly child: ChildProcess;
  /** Resolves when it makes the exchange of a round. */
  sending(): Promise<Runner>;
  /** What it was told; null when it was killed first. */
  ask(delayMs: number): Promise<Outcome | null>;
}

/** Mulberry32: the same row of numbers for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function startRunner(options: RunnerOptions): Promise<Runner> {
  const child = fork(join(import.meta.dirname, 'support/refresh-runner.ts'), [JSON.stringify(options)], {
    execArgv: ['--import', 'tsx'],
  });
  const closed = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await closed;
  });
  const next = <T extends RunnerReport>(what: T['what']) =>
    new Promise<T>((resolve) => {
      const take = (report: RunnerReport) => {
        if (report.what !== what) return;
        child.off('message', take);
        resolve(report as T);
      };
      child.on('message', take);
    });
  const runner: Runner = {
    child,
    async sending() {
      // Every round ends in a report, and the one who sends has said so before.
      const [report] = (await once(child, 'message')) as [RunnerReport];
      return report.what === 'sending' ? runner : new Promise<never>(() => {});
    },
    ask(delayMs) {
      const told = next<Outcome>('outcome');
      child.send({ delayMs });
      return Promise.race([told, closed.then(() => null)]);
    },
  };
  await next('started');
  return runner;
}

interface Race {
  readonly database: TestDatabase;
  readonly server: TestAuthorizationServer;
  readonly key: CredentialKey;
  readonly random: () => number;
  readonly runners: Runner[];
  /** A person authorizes again; the tokens are stored as the next version. */
  authorize(): Promise<void>;
  /** Starts new processes where too few are left. */
  fill(): Promise<void>;
}

async function start(): Promise<Race> {
  const database = await useTestDatabase();
  const server = await startAuthorizationServer();
  const client = createHttpClient({ egress: createEgressPolicy(['127.0.0.0/8']) });
  onTestFinished(async () => {
    await client.close();
    await server.close();
  });
  const oauth = createOAuthClient({ client, clock: systemClock });
  const { app, redirectUri } = server;
  const login = async () => {
    const { authorizationUrl, state, codeVerifier } = await oauth.begin(app, { redirectUri });
    const callback = await server.login(authorizationUrl);
    return oauth.exchange(app, { callback, state, codeVerifier, redirectUri });
  };
  const key = await addConnection(database, await login());
  const runners: Runner[] = [];
  const options: RunnerOptions = {
    databaseUrl: database.url,
    key,
    oauth: app.oauth,
    clientId: app.clientId,
    clientSecret: app.clientSecret.reveal(),
    leaseMs: 3_000,
    deadlineMs: 2_500,
  };
  return {
    database,
    server,
    key,
    random: createRandom(SEED),
    runners,
    authorize: async () => void (await storeTokens(database, key, await login())),
    async fill() {
      if (runners.length >= PROCESSES.least) return;
      const wanted = runners.length === 0 ? PROCESSES.first : PROCESSES.again;
      const missing = Array.from({ length: wanted - runners.length });
      runners.push(...(await Promise.all(missing.map(() => startRunner(options)))));
    },
  };
}

/** One expiry, met by all processes at about the same time. */
async function expireAndAsk(
  { database, key, random, runners }: Race,
  kill: Kill,
): Promise<readonly Outcome[]> {
  await expire(database, key);
  const sending = Promise.race(runners.map((runner) => runner.sending()));
  const asked = runners.map((runner) => runner.ask(random() * 30));
  if (kill === 'anyone') {
    const victim = runners[Math.floor(random() * runners.length)];
    await sleep(random() * 150);
    victim?.child.kill('SIGKILL');
  } else if (kill !== 'nobody') {
    const sender = await sending;
    await sleep(kill.senderAfterMs);
    sender.child.kill('SIGKILL');
  }
  const outcomes = await Promise.all(asked);
  const living = runners.filter(({ child }) => !child.killed);
  runners.splice(0, runners.length, ...living);
  return outcomes.filter((outcome) => outcome !== null);
}

interface Round {
  readonly kill: Kill;
  /** What those who live were told. */
  readonly outcomes: readonly Outcome[];
  /** What the server did meanwhile. */
  readonly exchanges: readonly TokenEvent[];
  readonly before: CredentialRow;
  readonly after: CredentialRow;
}

/** What must hold of every round, each claim that does not by its name. */
function problemsOf({ kill, outcomes, exchanges, before, after }: Round): string[] {
  const isReady = outcomes[0]?.kind === 'ready';
  const claims = {
    'all are told the same': new Set(outcomes.map(({ kind, version }) => `${kind} ${version}`)).size === 1,
    'no request is refused': exchanges.every(({ what }) => what === 'granted'),
    'there is one exchange at most': exchanges.length <= 1,
    'one at most has made it': outcomes.filter(({ isRenewed }) => isRenewed).length <= 1,
    'tokens are new or lost': isReady || outcomes[0]?.kind === 'lost',
    'what is ready was exchanged': !isReady || exchanges.length === 1,
    'what is ready is stored': !isReady || after.version === before.version + 1,
    'what is ready is what was stored': !isReady || outcomes[0]?.version === after.version,
    'nothing is lost unless someone dies': isReady || kill !== 'nobody',
    'what is lost was sent, and nothing stored':
      isReady || (after.refresh_sent_at !== null && after.version === before.version),
  };
  return Object.entries(claims).flatMap(([claim, holds]) => (holds ? [] : [claim]));
}

async function play(race: Race, kill: Kill): Promise<Round> {
  const before = await readCredential(race.database, race.key);
  const eventsBefore = race.server.events.length;
  const outcomes = await expireAndAsk(race, kill);
  const exchanges = race.server.events.slice(eventsBefore);
  return { kill, outcomes, exchanges, before, after: await readCredential(race.database, race.key) };
}

it('has one exchange per expiry, whoever dies when', async () => {
  const race = await start();
  const { server, random } = race;
  // Slow enough for a kill to hit it in the middle.
  server.delayTokens(
    () => sleep(random() * 40),
    () => sleep(20 + random() * 40),
  );
  const kills: readonly Kill[] = [
    'nobody',
    { senderAfterMs: 0 },
    'anyone',
    { senderAfterMs: 120 },
    'nobody',
    'anyone',
    { senderAfterMs: random() * 120 },
    'nobody',
  ];
  const seen = { ready: 0, lost: 0 };
  for (const kill of kills) {
    await race.fill();
    const round = await play(race, kill);
    expect(problemsOf(round), JSON.stringify(round)).toEqual([]);
    if (round.outcomes[0]?.kind === 'ready') {
      seen.ready += 1;
      continue;
    }
    seen.lost += 1;
    // Whoever asks again is told the same, and nothing is sent again; until a person authorizes.
    const again = await play(race, 'nobody');
    expect([again.exchanges, new Set(again.outcomes.map((told) => told.kind))]).toEqual([
      [],
      new Set(['lost']),
    ]);
    await race.authorize();
  }
  expect(server.revokedFamilies).toEqual([]);
  expect(seen.lost).toBeGreaterThan(0);
  expect(seen.ready).toBeGreaterThan(2);
});
