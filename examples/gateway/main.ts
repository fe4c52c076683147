/**
 * A federated graph on one machine: `npx tsx examples/gateway/main.ts`, with Tributary running in another terminal.
 * TRIBUTARY_URL says where that is; the services subgraph takes port 4001, the gateway 4002.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compose } from './compose.js';
import { startGateway } from './gateway.js';
import { servicesSdl, startServices } from './services.js';

const { TRIBUTARY_URL = 'http://127.0.0.1:4000' } = process.env;
const sdl = readFileSync(join(import.meta.dirname, '../../schema/tributary.graphql'), 'utf8');

const services = await startServices(4001);
const supergraph = compose([
  { name: 'tributary', url: `${TRIBUTARY_URL}/graphql`, sdl },
  { name: 'services', url: services.url, sdl: servicesSdl },
]);
const gateway = await startGateway(supergraph, 4002);
process.stdout.write(
  `The gateway is at ${gateway.url}, with ${TRIBUTARY_URL} and ${services.url} behind it.\n`,
);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(
    signal,
    () => void Promise.all([gateway.close(), services.close()]).then(() => process.exit(0)),
  );
}
