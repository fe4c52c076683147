import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { startEmbeddedPostgres } from '../../src/core/embedded-postgres/index.js';

/** A PostgreSQL server for a run of tests. */
export interface PostgresServer {
  /** Superuser URL to the database "postgres". */
  url: string;
  /** Ends the server if it was started here. */
  stop(): Promise<void>;
  /** Where it comes from: TEST_DATABASE_URL, this machine's own server, or one started here. */
  kind: 'env' | 'local' | 'embedded';
}

/** Where Debian's package listens. */
const LOCAL_URL = 'postgres://postgres@127.0.0.1:5432/postgres';

/** The server named by TEST_DATABASE_URL, else a local one that lets us in, else an embedded one in a temporary folder. */
export async function findOrStartPostgres(): Promise<PostgresServer> {
  const url = process.env['TEST_DATABASE_URL'];
  if (url) return { url, stop: async () => {}, kind: 'env' };
  if (await letsUsIn(LOCAL_URL)) return { url: LOCAL_URL, stop: async () => {}, kind: 'local' };
  return startTemporary();
}

async function letsUsIn(connectionString: string): Promise<boolean> {
  const client = new Client({ connectionString, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end();
  }
}

async function startTemporary(): Promise<PostgresServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tributary-test-postgres-'));
  const server = await startEmbeddedPostgres({ dataDir });
  const url = new URL(server.url);
  url.pathname = 'postgres';
  const stop = async () => {
    await server.stop();
    await rm(dataDir, { recursive: true });
  };
  return { url: url.href, stop, kind: 'embedded' };
}
