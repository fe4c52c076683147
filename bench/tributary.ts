import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Sort } from './delivery.js';
import type { Target } from './load.js';

/** Whom to ask, and as whom. */
export interface Asked {
  readonly address: string;
  /** For the tenant "dev", all scopes. */
  readonly token: string;
}

/** A Tributary that runs as a process of its own, as an operator would run it. */
export interface RunningTributary extends Asked {
  readonly pid: number;
  /** From the start of the process until it answered /readyz. */
  readonly startSeconds: number;
  stop(): Promise<void>;
}

export interface TributaryOptions {
  /** The built checkout, whose dist/src/main.js is run. */
  readonly checkout: string;
  readonly dataDir: string;
  /** Absent: on its embedded PostgreSQL. */
  readonly databaseUrl?: string;
  /** Further settings. */
  readonly env?: Readonly<Record<string, string>>;
}

export async function startTributary(options: TributaryOptions): Promise<RunningTributary> {
  const { checkout, dataDir, databaseUrl, env } = options;
  const startedAt = performance.now();
  const child = spawn(process.execPath, [...nodeFlags(), 'dist/src/main.js'], {
    cwd: checkout,
    env: {
      PATH: process.env['PATH'],
      NODE_ENV: 'production',
      PORT: '0',
      LOG_LEVEL: 'warn',
      TRIBUTARY_DATA_DIR: dataDir,
      // Whether it can take more than one connection may send is not the question here.
      WEBHOOK_RATE_PER_SECOND: '1000000',
      ...(databaseUrl && { DATABASE_URL: databaseUrl }),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let printed = '';
  const address = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      const graphql = /GraphQL +(\S+)\/graphql[^]*\n$/.exec(printed)?.[1];
      if (graphql) resolve(graphql);
    });
    void exited.then(() => reject(new Error(`Tributary did not start. It said: ${printed}`)));
  });
  const { status } = await fetch(`${address}/readyz`);
  if (status !== 200) throw new Error(`/readyz answered ${status}.`);
  return {
    pid: child.pid ?? 0,
    address,
    token: /Token +(\S+)/.exec(printed)?.[1] ?? '',
    startSeconds: (performance.now() - startedAt) / 1000,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** `BENCH_NODE_FLAGS="--cpu-prof --cpu-prof-dir=/tmp/profiles"`, for whoever wants to know where the time goes. */
export function nodeFlags(): string[] {
  return process.env['BENCH_NODE_FLAGS']?.split(' ') ?? [];
}

const CONNECT = `mutation ($input: ConnectInput!) {
  connect(input: $input) { connection { id } webhook { url secret } }
}`;
const GIVE_SECRET = `mutation ($input: RotateInput!) { rotate(input: $input) { connection { id } } }`;
const SLACK_SECRET = 'a signing secret of the bench';

interface Connected {
  readonly connect: {
    readonly connection: { readonly id: string };
    readonly webhook: { readonly url: string; readonly secret: string | null };
  };
}

/** Connects the provider that sends these, as its admin would, and answers where its webhooks go. */
export async function connect(running: RunningTributary, sort: Sort): Promise<Target> {
  const providerId = sort === 'pull-request' ? 'github' : 'slack';
  const input = { providerId, name: 'bench', authMethod: 'BEARER', credential: { token: 'not-a-real-one' } };
  const { connection, webhook } = (await ask<Connected>(running, CONNECT, { input })).connect;
  if (webhook.secret !== null) return { urls: [webhook.url], secret: webhook.secret };
  // Slack makes the secret, and its admin hands it on.
  const rotate = { connectionId: connection.id, what: 'WEBHOOK_SECRET', webhookSecret: SLACK_SECRET };
  await ask(running, GIVE_SECRET, { input: rotate });
  return { urls: [webhook.url], secret: SLACK_SECRET };
}

/** Asks as the tenant `dev`. Throws what is answered as errors. */
export async function ask<T>({ address, token }: Asked, query: string, variables: object = {}): Promise<T> {
  const response = await fetch(`${address}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { readonly data?: T; readonly errors?: unknown };
  if (!data || errors) throw new Error(`Tributary answered ${JSON.stringify(errors)}`);
  return data;
}
