import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { request, createServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { readConfig } from '../src/config.js';
import { issueDevelopmentToken } from '../src/core/auth.js';
import { systemClock } from '../src/core/clock.js';
import { isAlive } from '../src/core/data-dir.js';
import { type TestCaller, createCaller } from './support/app.js';
import { useTestDatabase } from './support/database.js';
import {
  type Delivery,
  type Hook,
  type WebhookAnswer,
  connectGitHub,
  githubDelivery,
  post,
} from './support/github.js';
import {
  type LaunchOptions,
  type Program,
  type TributaryProcess,
  buildProgram,
  embeddedDatabaseUrl,
  findPostgres,
  useDataDir,
} from './support/process.js';

const run = promisify(execFile);

// Several starts of a whole program each, on machines that have other things to do.
vi.setConfig({ testTimeout: 60_000 });

let program: Program;
beforeAll(async () => {
  program = await buildProgram();
});
afterAll(() => program.remove());

/** Opens pull request n; the delivery's id is `delivery-<n>`. */
function pullRequest(n: number, { secret }: Hook): Promise<Delivery> {
  const at = '2026-11-01T10:00:00Z';
  const payload = {
    action: 'opened',
    number: n,
    pull_request: { id: 7_000 + n, number: n, title: `Change ${n}`, created_at: at, head: { ref: `b${n}` } },
    repository: { id: 1, full_name: 'acme/waterworks' },
    sender: { id: 1, login: 'ada' },
  };
  return githubDelivery('pull_request', payload, secret, `delivery-${n}`);
}

const caller = ({ url, token }: TributaryProcess): TestCaller => createCaller(url, token);

async function read<T>(from: TestCaller, document: string, variables?: object): Promise<T> {
  const { data, errors } = await from.ask<T, object>(document, variables);
  expect(errors).toEqual([]);
  return data!;
}

const LISTS = `{
  connections { nodes { id name status provider { id } } }
  signals { nodes { id type sequence cursor payload } }
}`;

interface Lists {
  readonly connections: { readonly nodes: readonly { id: string; name: string }[] };
  readonly signals: { readonly nodes: readonly { id: string; type: string; cursor: string }[] };
}

const readLists = (of: TributaryProcess): Promise<Lists> => read<Lists>(caller(of), LISTS);

/** The same hook after a restart, which took another port. */
function moved(hook: Hook, { url }: TributaryProcess): Hook {
  return { ...hook, url: hook.url.replace(new URL(hook.url).origin, url) };
}

type Outcome = WebhookAnswer | 'no answer';

/** Sends in parallel, as GitHub does; `onAnswer` hears of each answer. Answers by delivery, in the given order. */
async function burst(
  url: string,
  deliveries: readonly Delivery[],
  onAnswer: (count: number) => void = () => {},
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let count = 0;
  async function sendSome(lane: number): Promise<void> {
    for (let index = lane; index < deliveries.length; index += LANES) {
      const answer = await post(url, deliveries[index]!).catch(() => 'no answer' as const);
      outcomes[index] = answer;
      if (answer !== 'no answer') onAnswer((count += 1));
    }
  }
  await Promise.all(Array.from({ length: LANES }, (_, lane) => sendSome(lane)));
  return outcomes;
}

const LANES = 16;
const BURST = 400;

function deliveriesFor(hook: Hook): Promise<Delivery[]> {
  return Promise.all(Array.from({ length: BURST }, (_, n) => pullRequest(n + 1, hook)));
}

const statusOf = (outcome: Outcome) => (outcome === 'no answer' ? outcome : outcome.status);

/** Delivery id and signal ids of what was acknowledged, by the provider's delivery id. */
function acknowledged(outcomes: readonly Outcome[]): Map<string, WebhookAnswer['body']> {
  const pairs = outcomes.map((outcome, index) => [`delivery-${index + 1}`, outcome] as const);
  return new Map(
    pairs.flatMap(([id, outcome]) =>
      outcome !== 'no answer' && outcome.status === 202 ? [[id, outcome.body] as const] : [],
    ),
  );
}

/** What the tables hold, in the same shape; a signal that no delivery made, or that is there twice, would show. */
async function stored(databaseUrl: string): Promise<Map<string, WebhookAnswer['body']>> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ event_id: string; delivery_id: string; signals: string[] }>(
      `select d.event_id, d.id as delivery_id, array_agg(s.id::text) as signals
       from deliveries d full join signals s on s.delivery_id = d.id group by d.event_id, d.id`,
    );
    return new Map(rows.map(({ event_id, ...body }) => [event_id, body]));
  } finally {
    await client.end();
  }
}

/** A server that does nothing but hold a port. */
async function useListener(): Promise<{ port: number; server: Server }> {
  const server = createServer((_request, response) => response.end('{"keys":[]}')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, server };
}

async function requirePostgres(dataDir: string): Promise<number> {
  const pid = await findPostgres(dataDir);
  if (!pid) throw new Error('no PostgreSQL runs there');
  return pid;
}

async function expectNothingLeft(dataDir: string, postgres: number): Promise<void> {
  expect(isAlive(postgres)).toBe(false);
  const names = await readdir(dataDir);
  expect(names.filter((name) => name.startsWith('tributary.pid'))).toEqual([]);
  expect(await readdir(join(dataDir, 'postgres'))).not.toContain('postmaster.pid');
}

describe('a first start', () => {
  it('says where it is and what to try, and answers there; the next one keeps what was stored', async () => {
    const dataDir = await useDataDir();
    const first = await program.start({ dataDir });
    expect(first.banner).toContain(`  GraphQL    ${first.url}/graphql`);
    expect(first.banner).toContain(`  Webhooks   ${first.url}/v1/integrations/webhooks/{provider}/{token}`);
    expect(first.banner.match(/^ {2}npm run -s \S+ {2,}\S.*$/gm)).toHaveLength(3);
    expect((await stat(join(dataDir, 'master.key'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(dataDir, 'token.key'))).mode & 0o777).toBe(0o600);

    const paths = ['/healthz', '/readyz', '/metrics'];
    const probes = await Promise.all(paths.map((path) => fetch(`${first.url}${path}`)));
    expect(probes.map(({ status }) => status)).toEqual([200, 200, 200]);
    const { providers } = await read<{ providers: { id: string }[] }>(caller(first), '{ providers { id } }');
    expect(providers.map(({ id }) => id)).toContain('github');

    const hook = await connectGitHub(caller(first), 'kept');
    expect((await post(hook.url, await pullRequest(1, hook))).status).toBe(202);
    const before = await readLists(first);
    expect(before.connections.nodes).toMatchObject([{ name: 'kept', status: 'PENDING_VERIFICATION' }]);
    expect(before.signals.nodes).toMatchObject([{ type: 'pr_opened' }]);
    expect(await first.stop()).toMatchObject({ code: 0, messages: [] });

    const second = await program.start({ dataDir });
    expect(await readLists(second)).toEqual(before);
    const { url } = moved(hook, second);
    expect((await post(url, await pullRequest(1, hook))).status).toBe(200);
    expect((await post(url, await pullRequest(2, hook))).status).toBe(202);
  });
});

describe('a stop', () => {
  it('by SIGINT, SIGTERM or SIGHUP ends all that was started, with 0', async () => {
    const dataDir = await useDataDir();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      const tributary = await program.start({ dataDir });
      const postgres = await requirePostgres(dataDir);
      // As npm does with Ctrl-C: once from the terminal, once passed on.
      if (signal === 'SIGINT') tributary.send(signal);
      expect(await tributary.stop(signal)).toMatchObject({ code: 0, messages: [] });
      await expectNothingLeft(dataDir, postgres);
    }
  });

  it('answers what is under way, refuses the rest, and keeps what it acknowledged', async () => {
    const dataDir = await useDataDir();
    const first = await program.start({ dataDir });
    const postgres = await requirePostgres(dataDir);
    const hook = await connectGitHub(caller(first));
    const deliveries = await deliveriesFor(hook);
    const late = await pullRequest(BURST + 1, hook);

    const slow = await openSlowly(hook.url, late);
    let ended: ReturnType<TributaryProcess['stop']> | undefined;
    const outcomes = await burst(hook.url, deliveries, (count) => {
      if (count === BURST / 4) ended = first.stop();
    });
    expect(await slow.finish()).toBe(202);
    expect(await ended).toMatchObject({ code: 0, messages: [] });
    await expectNothingLeft(dataDir, postgres);
    const statuses = new Set(outcomes.map(statusOf));
    expect(statuses.delete(202)).toBe(true);
    expect([...statuses].filter((status) => status !== 503 && status !== 'no answer')).toEqual([]);
    expect(statuses.size).toBeGreaterThan(0);

    await program.start({ dataDir });
    const found = await stored(await embeddedDatabaseUrl(dataDir));
    expect(found.delete(`delivery-${BURST + 1}`)).toBe(true);
    expect(found).toEqual(acknowledged(outcomes));
  });

  it('during start-up leaves nothing behind, and the next start works', async () => {
    const dataDir = await useDataDir();
    const starting = program.launch({ dataDir });
    const postgres = await vi.waitUntil(() => findPostgres(dataDir), { timeout: 15_000, interval: 2 });
    starting.send('SIGTERM');
    expect(await starting.ended).toMatchObject({ code: 0, stdout: '', messages: [] });
    await expectNothingLeft(dataDir, postgres);
    expect((await program.start({ dataDir })).token).not.toBe('');
  });
});

/** A request whose server is known to have it, and which is not complete before `finish`, which answers the status. */
async function openSlowly(url: string, { headers, body }: Delivery): Promise<{ finish(): Promise<number> }> {
  const slow = request(url, {
    method: 'POST',
    headers: { ...headers, 'content-length': body.length, expect: '100-continue' },
  });
  const answered = once(slow, 'response');
  slow.flushHeaders();
  await once(slow, 'continue');
  return {
    async finish() {
      slow.end(body);
      const [response] = (await answered) as [{ statusCode: number; resume(): void }];
      response.resume();
      return response.statusCode;
    },
  };
}

describe('kill -9 in the middle of a burst', () => {
  it('loses nothing that was acknowledged, and sending all again doubles nothing', async () => {
    const dataDir = await useDataDir();
    const first = await program.start({ dataDir });
    const hook = await connectGitHub(caller(first));
    const deliveries = await deliveriesFor(hook);
    let ended: ReturnType<TributaryProcess['kill']> | undefined;
    const outcomes = await burst(hook.url, deliveries, (count) => {
      if (count === BURST / 4) ended = first.kill();
    });
    expect(await ended).toMatchObject({ signal: 'SIGKILL' });
    expect(new Set(outcomes.map(statusOf))).toEqual(new Set([202, 'no answer']));

    const second = await program.start({ dataDir });
    const databaseUrl = await embeddedDatabaseUrl(dataDir);
    const acks = acknowledged(outcomes);
    const survived = await stored(databaseUrl);
    expect([...acks].filter(([id]) => !survived.has(id))).toEqual([]);
    for (const [id, body] of acks) expect(survived.get(id)).toEqual(body);

    const again = await burst(moved(hook, second).url, deliveries);
    const answers = again.map((outcome, index) => [`delivery-${index + 1}`, outcome] as const);
    for (const [id, outcome] of answers) {
      expect(statusOf(outcome)).toBe(survived.has(id) ? 200 : 202);
      expect(outcome).toMatchObject(survived.has(id) ? { body: survived.get(id) } : {});
    }
    const all = await stored(databaseUrl);
    expect(all.size).toBe(BURST);
    expect([...all.values()].every(({ signals }) => signals?.length === 1)).toBe(true);
  });
});

describe('with DATABASE_URL', () => {
  it('starts no PostgreSQL, and what one process takes another one delivers', async () => {
    const dataDir = await useDataDir();
    const env = { DATABASE_URL: (await useTestDatabase()).url };
    const [one, other, worker] = await Promise.all([
      program.start({ dataDir, env }),
      program.start({ dataDir, env, args: ['--role', 'api'] }),
      program.start({ dataDir, env, args: ['--role', 'worker'] }),
    ]);
    expect((await readdir(dataDir)).toSorted()).toEqual(['master.key', 'token.key']);
    expect(other.banner).toBe(`Tributary api is running at ${other.url}.\n`);
    expect((await fetch(`${worker.url}/readyz`)).status).toBe(200);

    const hook = await connectGitHub(caller(one));
    await post(hook.url, await pullRequest(1, hook));
    const { signals } = await readLists({ ...other, token: one.token });
    const socket = createCaller(other.url, one.token).socket();
    const query = 'subscription ($after: Cursor) { signalReceived(after: $after) { id } }';
    const stream = socket.iterate({ query, variables: { after: signals.nodes[0]!.cursor } });
    const next = stream.next();
    await vi.waitUntil(() => isSubscribed(other), { timeout: 10_000, interval: 10 });
    const { body } = await post(hook.url, await pullRequest(2, hook));
    expect(await next).toEqual({
      done: false,
      value: { data: { signalReceived: { id: body.signals![0] } } },
    });
    await socket.dispose();

    const exits = await Promise.all([one.stop(), other.stop(), worker.stop('SIGINT')]);
    expect(exits.map(({ code, messages }) => [code, ...messages])).toEqual([[0], [0], [0]]);
  });
});

async function isSubscribed({ url }: TributaryProcess): Promise<boolean> {
  return /^tributary_feed_subscribers 1$/m.test(await (await fetch(`${url}/metrics`)).text());
}

/** One line, the given one, and nothing on standard output. */
async function expectRefusal(options: LaunchOptions, line: RegExp | string): Promise<void> {
  const { code, messages, stdout } = await program.launch(options).ended;
  expect(messages).toEqual([expect.stringMatching(line) as string]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
}

describe('a start that can’t be', () => {
  it('is refused on a data dir in use, naming the process', async () => {
    const dataDir = await useDataDir();
    const holder = await program.start({ dataDir });
    await expectRefusal(
      { dataDir },
      `^The data dir ${dataDir} is in use by process ${holder.pid}\\. .*TRIBUTARY_DATA_DIR`,
    );
    expect((await fetch(`${holder.url}/readyz`)).status).toBe(200);
  });

  it('is refused on a port in use, naming PORT, and leaves nothing behind', async () => {
    const dataDir = await useDataDir();
    const { port } = await useListener();
    await expectRefusal({ dataDir, env: { PORT: String(port) } }, new RegExp(`PORT: .*:${port}\\b`));
    expect(await findPostgres(dataDir)).toBeUndefined();
    expect(await readdir(dataDir)).not.toContain('tributary.pid');
  });

  it('is refused without the database it was told of, naming DATABASE_URL', async () => {
    const dataDir = await useDataDir();
    const { port } = await useListener();
    const missing = new URL((await useTestDatabase()).url);
    missing.pathname = '/nowhere';
    const urls = [
      `postgres://127.0.0.1:1/x`,
      'postgres://nowhere.invalid/x',
      'mysql://127.0.0.1/x',
      'x',
      missing,
    ];
    const listening = `postgres://127.0.0.1:${port}/x`;
    const line = /^(Configuration: )?DATABASE_URL: /;
    await Promise.all(
      [...urls, listening].map((url) => expectRefusal({ dataDir, env: { DATABASE_URL: String(url) } }, line)),
    );
    expect(existsSync(join(dataDir, 'postgres'))).toBe(false);
  });

  it('is refused for one role without DATABASE_URL, for an unknown role and for an unknown option', async () => {
    const dataDir = await useDataDir();
    await Promise.all([
      expectRefusal({ dataDir, args: ['--role', 'api'] }, /DATABASE_URL.* api /),
      expectRefusal({ dataDir, args: ['--role', 'worker'] }, /DATABASE_URL.* worker /),
      expectRefusal({ dataDir, args: ['--role', 'king'] }, /--role must be one of all, api, worker/),
      expectRefusal({ dataDir, args: ['--rule', 'api'] }, /--rule/),
    ]);
    expect(existsSync(dataDir)).toBe(false);
  });

  it('is refused in prod without what prod needs, naming each variable', async () => {
    const dataDir = await useDataDir();
    const names = ['AUTH_JWKS_URL', 'TRIBUTARY_MASTER_KEY', 'DATABASE_URL'];
    const line = new RegExp(names.map((name) => `(?=.*${name}: )`).join(''));
    await expectRefusal({ dataDir, env: { TRIBUTARY_ENVIRONMENT: 'prod' } }, line);
    expect(existsSync(dataDir)).toBe(false);
  });

  const oldNode = '/usr/bin/node';
  it.skipIf(!isOld(oldNode))(`is refused by an older Node (needs one at ${oldNode})`, async () => {
    const { code, stdout, stderr } = (await run(oldNode, [program.main]).catch(
      (error: unknown) => error,
    )) as { code: number; stdout: string; stderr: string };
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^Tributary needs Node 24 or newer .*npm start.*\n$/);
  });
});

function isOld(node: string): boolean {
  return existsSync(node) && Number(execFileSync(node, ['-p', 'process.versions.node.split(".")[0]'])) < 24;
}

describe('prod', () => {
  it('refuses development tokens, prints none and makes no keys', async () => {
    const dataDir = await useDataDir();
    const { port } = await useListener();
    const prod = await program.start({
      dataDir,
      env: {
        TRIBUTARY_ENVIRONMENT: 'prod',
        DATABASE_URL: (await useTestDatabase()).url,
        TRIBUTARY_MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
        AUTH_JWKS_URL: `http://127.0.0.1:${port}/`,
        AUTH_ISSUER: 'https://login.example.org',
        AUTH_AUDIENCE: 'tributary',
      },
    });
    expect(prod.token).toBe('');
    expect(existsSync(dataDir)).toBe(false);

    const development = readConfig({ TRIBUTARY_DATA_DIR: dataDir });
    const claims = { tenantId: 'dev', subject: 'developer', scope: 'integrations:read', lifetimeSeconds: 60 };
    const token = await issueDevelopmentToken(development, claims, systemClock);
    const { errors } = await createCaller(prod.url, token).ask('{ providers { id } }');
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(['UNAUTHENTICATED']);
  });
});
