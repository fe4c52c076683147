/**
 * Starts the embedded PostgreSQL in the data dir given as argument, prints one line of JSON and stays until it is
 * killed. For tests of what a Tributary process leaves behind when it dies.
 */
import { startEmbeddedPostgres } from '../../src/core/embedded-postgres/index.js';

const dataDir = process.argv[2];
if (!dataDir) throw new Error('Name the data dir: start-embedded-postgres.ts <dataDir>');

const { url, pid, adopted } = await startEmbeddedPostgres({ dataDir });
console.log(JSON.stringify({ url, pid, adopted }));
setInterval(() => {}, 60_000);
