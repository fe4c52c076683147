import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { startEmbeddedPostgres } from '../src/core/embedded-postgres/index.js';
import { parentOf } from './usage.js';

/** The one PostgreSQL server that everything of a run is stored in. */
export interface BenchServer {
  readonly version: string;
  /** The server's process, when it runs on this machine. */
  readonly pid: number | undefined;
  /** Makes an empty database and answers its URL. */
  createDatabase(name: string): Promise<string>;
  /** Drops what it made, and stops what it started. */
  close(): Promise<void>;
}

/** The server of the URL, or an embedded one with its data in the folder. */
export async function openBenchServer(url: string | undefined, folder: string): Promise<BenchServer> {
  chmodSync(folder, 0o711); // as root: PostgreSQL's own user must pass through
  const embedded =
    url === undefined ? await startEmbeddedPostgres({ dataDir: join(folder, 'server') }) : undefined;
  const serverUrl = url ?? embedded?.url ?? '';
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  const { rows } = await client.query<{ version: string; session: number }>(
    `select current_setting('server_version') as version, pg_backend_pid() as session`,
  );
  const [{ version, session } = { version: '', session: 0 }] = rows;
  const names: string[] = [];
  return {
    version,
    pid: isPostgres(session) ? parentOf(session) : undefined,
    async createDatabase(label) {
      const name = `tributary_bench_${label}_${process.pid}`;
      await client.query(`create database ${name}`);
      names.push(name);
      const databaseUrl = new URL(serverUrl);
      databaseUrl.pathname = `/${name}`;
      return databaseUrl.href;
    },
    async close() {
      for (const name of names) await client.query(`drop database ${name} with (force)`);
      await client.end();
      await embedded?.stop();
    },
  };
}

/** A process id that the server told may be one of another machine. */
function isPostgres(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('postgres');
  } catch {
    return false;
  }
}

/** What a database holds of deliveries and their signals, and how large one is: characters of text, bytes of the rest. */
export interface Stored {
  readonly deliveries: number;
  readonly signals: number;
  readonly bodyBytes: number;
  readonly contentBytes: number;
}

export async function readStored(url: string): Promise<Stored> {
  const [stored] = await query<Stored>(
    url,
    `select (select count(*) from deliveries)::int as deliveries,
            (select count(*) from signals)::int as signals,
            (select length(body) from deliveries limit 1) as "bodyBytes",
            (select pg_column_size(content) from signals limit 1) as "contentBytes"`,
  );
  if (!stored) throw new Error('The counts did not come.');
  return stored;
}

/** One statement on a connection of its own. */
export async function query<T extends object>(url: string, sql: string): Promise<T[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}
