import { Client } from 'pg';
import { type Cluster, SUPERUSER, requirePassword } from './cluster.js';
import { EmbeddedPostgresError } from './error.js';

const DATABASE = 'tributary';

/** Makes the database when it is missing and returns its URL. That we get in proves server and password to be ours. */
export async function ensureDatabase(cluster: Cluster, port: number): Promise<string> {
  const url = new URL(`postgres://${SUPERUSER}:${await requirePassword(cluster)}@127.0.0.1:${port}/postgres`);
  const client = new Client({ connectionString: url.href, connectionTimeoutMillis: 10_000 });
  // A lost connection also fails the query below; without a listener it would end our process.
  client.on('error', () => {});
  try {
    await client.connect();
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (!rowCount) await client.query(`create database ${DATABASE}`);
  } catch (cause) {
    const message = `The embedded PostgreSQL did not let us in: ${(cause as Error).message}. See ${cluster.log}.`;
    throw new EmbeddedPostgresError(message, { cause });
  } finally {
    await client.end();
  }
  url.pathname = DATABASE;
  return url.href;
}
