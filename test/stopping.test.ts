import { once } from 'node:events';
import { connect } from 'node:net';
import { Client } from 'pg';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { startTestApp } from './support/app.js';

const CONNECT = `mutation ($input: ConnectInput!) { connect(input: $input) { connection { id } } }`;
const LIST = '{ connections { nodes { id signals(first: 1) { nodes { id } } } } }';
const WAITING = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;

async function isRefused(url: string): Promise<boolean> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const refused = await once(socket, 'connect').then(
    () => false,
    () => true,
  );
  socket.destroy();
  return refused;
}

it('a process that stops waits for what callers began who have gone', async () => {
  const lines: string[] = [];
  const log = pino({ level: 'error' }, { write: (line: string) => void lines.push(line) });
  const app = await startTestApp({ log });
  const { ask, token } = await app.caller();
  const input = {
    providerId: 'github',
    name: 'one',
    authMethod: 'BEARER',
    credential: { token: 'not-a-real-one' },
  };
  expect((await ask(CONNECT, { input })).errors).toEqual([]);
  const locker = new Client({ connectionString: app.database.url });
  await locker.connect();
  await locker.query('begin; lock table connections in access exclusive mode');
  const gone = new AbortController();
  const asking = fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: LIST }),
    signal: gone.signal,
  });
  await expect.poll(async () => (await app.database.query(WAITING)).length).toBe(1);
  gone.abort();
  await expect(asking).rejects.toThrow('aborted');
  const closing = app.close();
  await expect.poll(() => isRefused(app.url)).toBe(true);
  // The list is read, and then each connection's signals, which takes a database that is still there.
  await locker.query('commit');
  await locker.end();
  await closing;
  expect(lines).toEqual([]);
});
