import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { example } from '../connectors/example/index.js';
import { type App, createApp } from '../src/app.js';
import { readConfig } from '../src/config.js';
import { type Caller, scopes } from '../src/core/caller.js';

/** Whole actions a second, beside the sequencer and without it: one number each a turn. */
export interface ActionTurn {
  readonly on: number;
  readonly off: number;
}

export interface ActionOptions {
  readonly databaseUrl: string;
  readonly dataDir: string;
  readonly turns: number;
  /** How long each half of a turn takes, milliseconds. */
  readonly turnMs: number;
  /** Actions under way at once. */
  readonly lanes: number;
}

const caller: Caller = {
  tenantId: 'bench',
  subject: 'bench',
  scopes: new Set(scopes),
  correlationId: 'bench',
};
/** What the provider takes to answer. */
const PROVIDER_MS = 1;

/** Comments on an issue of a provider that answers after a millisecond, from execute to the settled action. */
export async function measureActions(options: ActionOptions): Promise<ActionTurn[]> {
  const provider = await startProvider();
  const app = await createApp({
    config: readConfig({
      TRIBUTARY_PROVIDER_EXAMPLE_BASE_URL: provider.url,
      EGRESS_ALLOW: '127.0.0.0/8',
      TRIBUTARY_DATA_DIR: options.dataDir,
      LOG_LEVEL: 'warn',
    }),
    databaseUrl: options.databaseUrl,
    // Its limits would be what is measured.
    connectors: [{ ...example, manifest: { ...example.manifest, rateLimits: [] } }],
  });
  try {
    const connectionId = await connect(app);
    await act(app, connectionId, options);
    const turns: ActionTurn[] = [];
    for (let turn = 0; turn < options.turns; turn += 1) {
      const isFirst = turn % 2 === 0;
      const one = await actBeside(app, connectionId, options, isFirst);
      const other = await actBeside(app, connectionId, options, !isFirst);
      turns.push(isFirst ? { on: one, off: other } : { on: other, off: one });
    }
    return turns;
  } finally {
    await app.close();
    await provider.close();
  }
}

async function connect({ services: { connections } }: App): Promise<string> {
  const credential = { token: 'bench' };
  const command = { providerId: 'example', name: 'bench', authMethod: 'BEARER', credential } as const;
  const { id } = (await connections.connect(caller, command)).connection;
  await connections.verify(caller, id);
  return id;
}

/** What the sequencer has left is done before the next turn. */
async function actBeside(
  app: App,
  connectionId: string,
  options: ActionOptions,
  isSequencing: boolean,
): Promise<number> {
  const { sequencer } = app.services;
  const stop = isSequencing ? sequencer.follow() : async () => {};
  const rate = await act(app, connectionId, options);
  await stop();
  await sequencer.run();
  return rate;
}

async function act(
  { services: { actions } }: App,
  connectionId: string,
  { turnMs, lanes }: ActionOptions,
): Promise<number> {
  const start = performance.now();
  let count = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() - start < turnMs) {
      const input = { project: 'DEMO', issue: 'DEMO-1', body: 'It drips.' };
      const command = { connectionId, verb: 'addIssueComment', input, idempotencyKey: randomUUID() } as const;
      const { status } = await actions.execute(caller, command);
      if (status !== 'SUCCEEDED') throw new Error(`An action ended as ${status}.`);
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return (count * 1_000) / (performance.now() - start);
}

async function startProvider() {
  const server = createServer((request, response) => {
    request.resume();
    const headers = { 'content-type': 'application/json', 'example-scopes': 'issues:write events:read' };
    setTimeout(() => {
      response.writeHead(request.method === 'POST' ? 201 : 200, headers);
      response.end('{"id":"acc_1","name":"Bench","url":"https://example.com/1"}');
    }, PROVIDER_MS);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
