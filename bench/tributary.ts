import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Target } from './load.js';

/** A Tributary that runs as a process of its own, as an operator would run it. */
export interface RunningTributary {
  readonly pid: number;
  readonly address: string;
  /** For the tenant "dev", all scopes. */
  readonly token: string;
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
}

export async function startTributary(options: TributaryOptions): Promise<RunningTributary> {
  const { checkout, dataDir, databaseUrl } = options;
  const startedAt = performance.now();
  const child = spawn(process.execPath, [...nodeFlags(), 'dist/src/main.js'], {
    cwd: checkout,
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      LOG_LEVEL: 'warn',
      TRIBUTARY_DATA_DIR: dataDir,
      // Whether it can take more than one connection may send is not the question here.
      WEBHOOK_RATE_PER_SECOND: '1000000',
      ...(databaseUrl && { DATABASE_URL: databaseUrl }),
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
function nodeFlags(): string[] {
  return process.env['BENCH_NODE_FLAGS']?.split(' ') ?? [];
}

const CONNECT = `mutation {
  connect(input: { providerId: "github", name: "bench", authMethod: BEARER, credential: { token: "ghp_bench" } }) {
    webhook { url secret }
  }
}`;

/** Connects GitHub, as its admin would, and answers where its webhooks go. */
export async function connectGitHub({ address, token }: RunningTributary): Promise<Target> {
  const response = await fetch(`${address}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: CONNECT }),
  });
  const { data, errors } = (await response.json()) as {
    readonly data?: { readonly connect: { readonly webhook: Target } };
    readonly errors?: unknown;
  };
  if (!data) throw new Error(`connect: ${JSON.stringify(errors)}`);
  return data.connect.webhook;
}
