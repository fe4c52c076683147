import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { type Received, followSignals } from '../src/client/index.js';
import { createCaller } from './support/app.js';
import { useTestDatabase } from './support/database.js';
import { useSupergraph } from './support/gateway.js';
import { type Hook, connectGitHub, githubDelivery, post } from './support/github.js';
import { type Program, buildProgram, useDataDir } from './support/process.js';

let program: Program;
beforeAll(async () => {
  program = await buildProgram();
});
afterAll(() => program.remove());

interface Seen extends Received {
  readonly id: string;
  readonly connection: { readonly service: { readonly name: string } };
}

const DOCUMENT = `subscription ($after: Cursor, $filter: SignalFilter) {
  signalReceived(after: $after, filter: $filter) { id cursor connection { service { name } } }
}`;

async function send({ url, secret }: Hook, n: number): Promise<string> {
  const payload = { action: 'opened', issue: { id: n, number: n }, repository: { full_name: 'acme/x' } };
  const { body } = await post(url, await githubDelivery('issues', payload, secret));
  return body.signals?.[0] ?? '';
}

it('a follower at a gateway misses nothing and sees nothing twice when the subgraph is killed', async () => {
  const { url: database } = await useTestDatabase();
  const dataDir = await useDataDir();
  const env = { DATABASE_URL: database };
  const first = await program.start({ dataDir, env });
  const hook = await connectGitHub(createCaller(first.url, first.token));
  const gateway = await useSupergraph(first.url);

  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const seen: Seen[] = [];
  const cuts: string[] = [];
  const following = (async () => {
    for await (const signal of followSignals<Seen>({
      url: `${gateway.url.replace('http', 'ws')}/graphql`,
      token: () => first.token,
      query: DOCUMENT,
      after: Buffer.from('signals:0').toString('base64url'),
      webSocketImpl: WebSocket,
      abort: stop.signal,
      onCut: ({ code }) => cuts.push(code),
    })) {
      seen.push(signal);
    }
  })();

  const sent = [await send(hook, 1), await send(hook, 2)];
  await expect.poll(() => seen.length).toBe(2);
  await first.kill();
  await expect.poll(() => cuts.length).toBeGreaterThan(0);
  const second = await program.start({ dataDir, env: { ...env, PORT: new URL(first.url).port } });
  sent.push(await send(hook, 3));
  await expect.poll(() => seen.length).toBe(3);
  sent.push(await send(hook, 4));
  await expect.poll(() => seen.length).toBe(4);

  expect(seen.map(({ id }) => id)).toEqual(sent);
  expect(seen.at(-1)?.connection.service.name).toBe('Greenhouse');
  expect(cuts[0]).toBe('SUBGRAPH_UNREACHABLE');
  stop.abort();
  await following;
  await second.stop();
});
