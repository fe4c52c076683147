/** The example provider for bench/graphql.ts, as a process of its own: whatever it is asked, it answers after a millisecond. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { endWithParent } from './child.js';

endWithParent();

const HEADERS = { 'content-type': 'application/json', 'example-scopes': 'issues:write events:read' };

const server = createServer((request, response) => {
  request.resume();
  request.once('end', () => {
    setTimeout(() => {
      response.writeHead(request.method === 'POST' ? 201 : 200, HEADERS);
      response.end('{"id":"acc_1","name":"Bench","url":"https://example.com/1"}');
    }, 1);
  });
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
