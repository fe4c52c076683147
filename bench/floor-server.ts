/**
 * The floors: what node:http and `pg` do with the same deliveries when there is nothing else. Started by the bench as a
 * process of its own. Without DATABASE_URL it verifies and answers; with it, it also stores, and answers after the commit.
 */
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { endWithParent } from './child.js';
import { createFloorJournal } from './floor-journal.js';
import type { Sort } from './delivery.js';
import { readers } from './floor-row.js';

endWithParent();

const { FLOOR_SECRET: secret = '', FLOOR_SORT: sort, DATABASE_URL: databaseUrl } = process.env;
const { isSigned, toRow } = readers[sort as Sort];
const store = databaseUrl ? createFloorJournal(databaseUrl) : undefined;

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    receive(request, Buffer.concat(chunks), response).catch((error: unknown) => {
      console.error(error);
      answer(response, 503, {});
    });
  });
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));

async function receive(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
  if (!isSigned(request.headers, body, secret)) return answer(response, 401, {});
  if (!store) return answer(response, 202, {});
  const row = toRow(request.headers, body);
  await store(row);
  answer(response, 202, { delivery_id: row.id, signals: [row.signalId] });
}

function answer(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
