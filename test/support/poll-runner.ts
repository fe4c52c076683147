/** A process of its own that polls what is due, once: its parent ends it in the middle. */
import { connectors } from '../../connectors/index.js';
import { createApp } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import { createLog } from '../../src/core/log.js';

/** The one argument of the process, as JSON: its environment. */
const env = JSON.parse(process.argv[2] ?? '') as Record<string, string>;
const config = readConfig(env);
const app = await createApp({
  config,
  databaseUrl: env['DATABASE_URL'] ?? '',
  connectors,
  log: createLog('warn'),
});
await app.services.polls.runDue(10);
await app.close();
