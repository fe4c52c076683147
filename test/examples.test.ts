import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type TestApp, startTestApp } from './support/app.js';

const root = join(import.meta.dirname, '..');

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a person's shell would give an example. Programs come from this checkout, as in `npm run`. */
function environment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const PATH = `${join(root, 'node_modules/.bin')}:${process.env['PATH']}`;
  return { PATH, URL: app.url, TRIBUTARY_DATA_DIR: app.config.TRIBUTARY_DATA_DIR, ...extra };
}

function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(file, args, { cwd: root, env: environment(env) }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, stdout, stderr }),
    );
  });
}

const token = (...args: string[]) => run('tsx', ['scripts/token.ts', ...args]);
const graphql = (document: string, variables: string, env?: NodeJS.ProcessEnv) =>
  run('examples/graphql.sh', [`schema/operations/${document}.graphql`, variables], env);
const sendWebhook = (env?: NodeJS.ProcessEnv) => run('examples/send-webhook.sh', [], env);

/** The number of the pull request that was sent. */
const numberIn = ({ stdout }: Ended) => /#(\d+)/.exec(stdout)?.[1];

async function tokenOf(tenant: string): Promise<string> {
  return (await token('--tenant', tenant)).stdout.trim();
}

describe('npm run token', () => {
  it('prints a token and nothing else', async () => {
    const { stdout, stderr } = await token(
      '--tenant',
      'acme',
      '--scope',
      'integrations:read',
      '--hours',
      '2',
    );
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const claims = JSON.parse(Buffer.from(stdout.split('.')[1] ?? '', 'base64url').toString()) as object;
    expect(claims).toMatchObject({ tenant_id: 'acme', scope: 'integrations:read', sub: 'developer' });
  });

  it.each([
    ['--hours', 'soon', '--hours must be a number above 0, not "soon".'],
    ['--scope', 'integrations:everything', '--scope: there is no integrations:everything.'],
    ['--tenant', '', '--tenant must have 1 to 255 characters.'],
    ['--colour', 'blue', "Unknown option '--colour'"],
  ])('refuses %s %s and says what it takes', async (option, value, message) => {
    const { code, stdout, stderr } = await token(option, value);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toContain('Usage: npm run -s token');
  });
});

describe('examples/graphql.sh', () => {
  it('prints what a document answers', async () => {
    const { code, stdout } = await graphql('providers', '');
    expect(code).toBe(0);
    const { data } = JSON.parse(stdout) as { data: { providers: { id: string }[] } };
    expect(data.providers.map(({ id }) => id)).toContain('github');
  });

  it('shows errors, and fails', async () => {
    const { code, stdout } = await graphql('providers', '', { TRIBUTARY_TOKEN: 'not-a-token' });
    expect(code).toBe(1);
    expect(stdout).toContain('UNAUTHENTICATED');
  });

  it('says what to do when nobody answers', async () => {
    const { code, stderr } = await graphql('providers', '', { URL: 'http://127.0.0.1:1' });
    expect(code).toBe(1);
    expect(stderr).toContain('npm start');
  });
});

describe('examples/send-webhook.sh', () => {
  it('connects once, keeps the secret to itself, and is accepted each time', async () => {
    const env = { TRIBUTARY_TOKEN: await tokenOf('once') };
    const first = await sendWebhook(env);
    expect(first.stdout).toContain('Connected GitHub');
    const second = await sendWebhook(env);
    expect(second.stdout).not.toContain('Connected GitHub');
    expect([first.code, second.code]).toEqual([0, 0]);

    const state = join(app.config.TRIBUTARY_DATA_DIR, 'example-webhook.env');
    expect(statSync(state).mode & 0o777).toBe(0o600);
    const secret = /secret=(\S+)/.exec(readFileSync(state, 'utf8'))?.[1] ?? '';
    expect(secret.length).toBeGreaterThan(20);
    expect(first.stdout + first.stderr).not.toContain(secret);

    const rows = await app.database.query<{ type: string; pr: string; missing: unknown }>(
      `select type, content #>> '{resource,pr_id}' as pr,
         content #> '{payload,provider_metadata,missing_fields}' as missing
       from signals where tenant_id = 'once' order by sequence`,
    );
    // Complete as well: a delivery that lacks what GitHub documents would tell so.
    expect(rows).toEqual(
      [first, second].map((sent) => ({ type: 'pr_opened', pr: numberIn(sent), missing: null })),
    );
  });

  it('connects again for another tenant, and when its connection is gone', async () => {
    const env = { TRIBUTARY_TOKEN: await tokenOf('another') };
    expect((await sendWebhook(env)).stdout).toContain('Connected GitHub');

    const state = join(app.config.TRIBUTARY_DATA_DIR, 'example-webhook.env');
    writeFileSync(state, readFileSync(state, 'utf8').replace(/(webhooks\/github\/)\S+/, '$1forgotten'));
    const again = await sendWebhook(env);
    expect(again.stdout).toContain('That connection is gone');
    expect(again.code).toBe(0);
  });
});

interface Cable {
  readonly url: string;
  /** Ends every connection through it at once, without a word. */
  cut(): void;
}

/** A cable to the application that can be cut. */
async function layCable(): Promise<Cable> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(new URL(app.url).port), '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket
        .on('error', () => {})
        .on('close', () => {
          sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
    }
    near.pipe(far).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(() => {
    server.close();
    cut();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, cut };
}

/** The watcher, and what it has printed. */
function watch(env: NodeJS.ProcessEnv) {
  const args = ['--import', 'tsx', 'examples/watch-signals.ts'];
  const child: ChildProcess = spawn(process.execPath, args, { cwd: root, env: environment(env) });
  let output = '';
  child.stdout?.on('data', (chunk) => void (output += chunk));
  child.stderr?.on('data', (chunk) => void (output += chunk));
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    numbers: () => [...output.matchAll(/pr_opened {2}acme\/greenhouse#(\d+)/g)].map(([, number]) => number),
    output: () => output,
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGINT');
      await ended;
    },
  };
}

const PATIENCE = { timeout: 15_000, interval: 50 };

describe('examples/watch-signals.ts', () => {
  it(
    'prints every signal once, however often it is cut off or started anew',
    { timeout: 60_000 },
    async () => {
      const TRIBUTARY_TOKEN = await tokenOf('watched');
      const { url, cut } = await layCable();
      const sent: (string | undefined)[] = [];
      const send = async () => void sent.push(numberIn(await sendWebhook({ TRIBUTARY_TOKEN })));

      const first = watch({ URL: url, TRIBUTARY_TOKEN });
      await expect.poll(first.output, PATIENCE).toContain('Watching');
      // The first one may come before the subscription has begun: until then there is nothing to resume from.
      await expect
        .poll(async () => {
          await send();
          return first.numbers().length;
        }, PATIENCE)
        .toBeGreaterThan(0);
      const seen = () => sent.slice(sent.indexOf(first.numbers()[0]));

      for (let round = 0; round < 3; round += 1) {
        cut();
        await send();
        await send();
        await expect.poll(first.numbers, PATIENCE).toEqual(seen());
      }
      expect(first.output()).toContain('Cut off');
      await first.stop();

      await send();
      await send();
      const second = watch({ URL: url, TRIBUTARY_TOKEN });
      await expect.poll(second.numbers, PATIENCE).toEqual(sent.slice(-2));
      expect(second.output()).toContain('from where this stopped last time');
    },
  );

  it('keeps a cursor for each tenant', () => {
    const cursors = readdirSync(app.config.TRIBUTARY_DATA_DIR).filter((name) => name.endsWith('.cursor'));
    expect(cursors).toEqual(['example-watch-watched.cursor']);
  });
});
