/**
 * What fan-out is measured against, as a process of its own: `graphql-ws` executes each subscription by itself, as the
 * library does when nothing is shared; `frames` sends one ready text to every socket, which is as little as it can be.
 * POST / tells everybody the body.
 */
import { once } from 'node:events';
import { type IncomingMessage, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { endWithParent } from './child.js';

endWithParent();

const schema = buildSchema(`
  scalar JSON
  type Query { none: Int }
  type Resource { repository: String branch: String prId: String commit: String }
  type Evidence { type: String url: String title: String }
  type Signal {
    id: ID cursor: String sequence: String type: String occurredAt: String correlationId: String
    payload: JSON resource: Resource evidence: [Evidence!]
  }
  type Subscription { signalReceived: Signal }
`);

const isBare = process.argv[2] === 'graphql-ws';
const queues = new Set<(signal: object) => void>();
const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'graphql-transport-ws' });

const nothing = (): void => {};

async function* listen(): AsyncGenerator<{ signalReceived: object }> {
  const waiting: object[] = [];
  let wake = nothing;
  queues.add((signal) => {
    waiting.push(signal);
    wake();
  });
  for (;;) {
    for (let signal = waiting.shift(); signal; signal = waiting.shift()) yield { signalReceived: signal };
    await new Promise<void>((resolve) => (wake = resolve));
  }
}

if (isBare) {
  Object.assign(schema.getSubscriptionType()?.getFields()['signalReceived'] ?? {}, { subscribe: listen });
  useServer({ schema }, sockets);
} else {
  sockets.on('connection', (socket: WebSocket) => {
    socket.on('message', (data: Buffer) => {
      if (data.toString().includes('connection_init')) socket.send('{"type":"connection_ack"}');
    });
  });
}

async function tell(request: IncomingMessage): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const signal = JSON.parse(Buffer.concat(chunks).toString()) as object;
  if (isBare) for (const push of queues) push(signal);
  const frame = JSON.stringify({ id: '1', type: 'next', payload: { data: { signalReceived: signal } } });
  if (!isBare) for (const socket of sockets.clients) socket.send(frame);
}

const server = createServer((request, response) => {
  void tell(request).then(() => response.writeHead(202).end());
});
server.on('upgrade', (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened, request));
});
await once(server.listen(0, '127.0.0.1'), 'listening');
process.send?.((server.address() as AddressInfo).port);
