/**
 * The floors: what node:http and `pg` do with the same deliveries when there is nothing else. Started by the bench as a
 * process of its own. Without DATABASE_URL it verifies and answers; with it, it also stores, and answers after the commit.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createFloorJournal } from './floor-journal.js';
import { toFloorRow } from './floor-row.js';

const { FLOOR_SECRET: secret = '', DATABASE_URL: databaseUrl } = process.env;
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
  if (!isSigned(body, String(request.headers['x-hub-signature-256']))) return answer(response, 401, {});
  if (!store) return answer(response, 202, {});
  const row = toFloorRow(request.headers, body);
  await store(row);
  answer(response, 202, { delivery_id: row.id, signals: [row.signalId] });
}

function isSigned(body: Buffer, given: string): boolean {
  const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
  const signature = Buffer.from(given);
  return signature.length === expected.length && timingSafeEqual(signature, expected);
}

function answer(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
