import { rmSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from 'pg';
import { isAlive } from '../../src/core/data-dir.js';
import { startEmbeddedPostgres } from '../../src/core/embedded-postgres/index.js';
import { administer } from './database.js';
import { quickFolder } from './memory.js';

/** A PostgreSQL server for a run of tests. */
export interface PostgresServer {
  /** Superuser URL to the database "postgres". */
  url: string;
  /** Ends the server if it was started here. */
  stop(): Promise<void>;
}

/**
 * The disk is not what is tested: only a crash of the machine would show the difference. Page images need not become
 * small where they need not become durable, and a copied database is nothing but page images.
 */
const SETTINGS = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  wal_compression: 'off',
  max_wal_size: '256MB',
  autovacuum: 'off',
  max_connections: '300', // every application of a test takes some thirty
  scram_iterations: '1', // as often as connections are made here, slow hashes are most of what they cost
};

const PREFIX = 'tributary-test-postgres-';

/** The server that TEST_DATABASE_URL names, else an embedded one in a temporary folder. */
export async function findOrStartPostgres(): Promise<PostgresServer> {
  const url = process.env['TEST_DATABASE_URL'];
  return url ? { url, stop: async () => {} } : startTemporary();
}

async function startTemporary(): Promise<PostgresServer> {
  const parent = quickFolder();
  await removeAbandoned(parent);
  const dataDir = await mkdtemp(join(parent, `${PREFIX}${process.pid}-`));
  const server = await startEmbeddedPostgres({ dataDir, settings: SETTINGS });
  const url = new URL(server.url);
  url.pathname = 'postgres';
  await administer(url.href, (client) => hashAnew(client, url.password));
  // Whoever interrupts a run lets nobody stop in peace.
  const abandon = () => {
    process.kill(server.pid, 'SIGQUIT');
    rmSync(dataDir, { recursive: true, force: true });
  };
  process.once('exit', abandon);
  const stop = async () => {
    process.off('exit', abandon);
    await server.stop();
    await rm(dataDir, { recursive: true });
  };
  return { url: url.href, stop };
}

/** As the settings say; initdb knew nothing of them. */
async function hashAnew(server: Client, password: string): Promise<void> {
  await server.query(`alter role current_user password ${server.escapeLiteral(password)}`);
}

/** What runs that were killed have left. A server that misses its folder ends by itself within a minute. */
async function removeAbandoned(parent: string): Promise<void> {
  const names = (await readdir(parent)).filter((name) => name.startsWith(PREFIX));
  const abandoned = names.filter((name) => !isAlive(Number.parseInt(name.slice(PREFIX.length), 10)));
  // Those of another user are not ours to remove.
  await Promise.allSettled(abandoned.map((name) => rm(join(parent, name), { recursive: true })));
}
