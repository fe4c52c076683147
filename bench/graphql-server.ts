/**
 * Tributary for bench/graphql.ts, as a process of its own: GitHub and the example without its windows, which would be what
 * is measured. DATABASE_URL, DATA_DIR and PROVIDER_URL say where; it sends its address and a token.
 */
import { example } from '../connectors/example/index.js';
import { github } from '../connectors/github/index.js';
import { createApp } from '../src/app.js';
import { readConfig } from '../src/config.js';
import { issueDevelopmentToken } from '../src/core/auth.js';
import { scopes } from '../src/core/caller.js';
import { systemClock } from '../src/core/clock.js';
import { endWithParent } from './child.js';

endWithParent();

const { DATABASE_URL = '', DATA_DIR, PROVIDER_URL } = process.env;
const config = readConfig({
  PORT: '0',
  LOG_LEVEL: 'warn',
  EGRESS_ALLOW: '127.0.0.0/8',
  DATABASE_URL,
  TRIBUTARY_DATA_DIR: DATA_DIR,
  TRIBUTARY_PROVIDER_EXAMPLE_BASE_URL: PROVIDER_URL,
  // What a tenant may ask in a minute is not what is measured either.
  GRAPHQL_COST_PER_MINUTE: '0',
});
const app = await createApp({
  config,
  databaseUrl: DATABASE_URL,
  connectors: [github, { ...example, manifest: { ...example.manifest, rateLimits: [] } }],
});
const address = await app.listen();
const claims = { tenantId: 'dev', subject: 'bench', scope: scopes.join(' '), lifetimeSeconds: 3_600 };
process.send?.({ address, token: await issueDevelopmentToken(config, claims, systemClock) });
process.once('SIGTERM', () => void app.close().then(() => process.exit()));
