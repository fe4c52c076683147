/** A process of its own that answers like PagerDuty's list of incidents, at once: mostly that there is nothing new. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { endWithParent } from './child.js';

/** One poll in so many finds something. */
const FOUND_EVERY = 20;
const headers = {
  'content-type': 'application/json',
  'ratelimit-limit': '960',
  'ratelimit-remaining': '959',
  'ratelimit-reset': '60',
};
let polls = 0;

function incident(number: number) {
  const id = `Q${String(number).padStart(9, '0')}`;
  const self = `https://acme.pagerduty.com/incidents/${id}`;
  return {
    id,
    type: 'incident',
    incident_number: number,
    title: `The greenhouse door is open (${number})`,
    summary: `[#${number}] The greenhouse door is open`,
    status: 'triggered',
    urgency: 'high',
    created_at: new Date().toISOString(),
    html_url: self,
    self,
    service: { id: 'PIJ90N7', type: 'service_reference', summary: 'Doors' },
  };
}

const server = createServer((request, response) => {
  request.resume();
  polls += 1;
  const incidents = polls % FOUND_EVERY === 0 ? [incident(polls)] : [];
  response.writeHead(200, headers);
  response.end(JSON.stringify({ incidents, limit: 100, offset: 0, total: null, more: false }));
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
endWithParent();
process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
