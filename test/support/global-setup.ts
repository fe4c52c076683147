import type { TestProject } from 'vitest/node';
import { migrate } from '../../src/core/db.js';
import { createLog } from '../../src/core/log.js';
import { migrations } from '../../src/migrations/index.js';
import { administer } from './database.js';
import { findOrStartPostgres } from './postgres-server.js';
import { findOrStartRedis } from './redis-server.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Superuser URL of the server, database `postgres`. */
    readonly postgresUrl: string;
    /** A migrated, empty database to copy. */
    readonly templateDatabase: string;
    readonly redisUrl: string;
  }
}

/** Finds or starts PostgreSQL and Redis once, and migrates the database every test file copies. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await findOrStartPostgres();
  const redis = await findOrStartRedis();
  const templateDatabase = `tributary_test_${process.pid}`;
  await administer(postgres.url, (client) => client.query(`create database ${templateDatabase}`));
  const template = new URL(postgres.url);
  template.pathname = `/${templateDatabase}`;
  await migrate(template.href, migrations, createLog('silent'));
  project.provide('postgresUrl', postgres.url);
  project.provide('templateDatabase', templateDatabase);
  project.provide('redisUrl', redis.url);
  return async () => {
    await administer(postgres.url, (client) =>
      client.query(`drop database ${templateDatabase} with (force)`),
    );
    await redis.stop();
    await postgres.stop();
  };
}
