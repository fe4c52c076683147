import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { connectors } from '../../connectors/index.js';
import { example } from '../../connectors/example/index.js';
import { type App, createApp } from '../../src/app.js';
import { type Config, readConfig } from '../../src/config.js';
import type { Connector } from '../../src/connector/index.js';
import { issueDevelopmentToken } from '../../src/core/auth.js';
import { scopes } from '../../src/core/caller.js';
import { type Clock, systemClock } from '../../src/core/clock.js';
import { type Log, createLog } from '../../src/core/log.js';
import { type TestDatabase, createTestDatabase } from './database.js';
import { quickFolder } from './memory.js';

export interface GraphQLError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions: { readonly code: string } & Record<string, unknown>;
}

export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly data: T | null | undefined;
  readonly errors: readonly GraphQLError[];
}

/** Somebody with a token. */
export interface TestCaller {
  readonly token: string;
  /** Runs a document over HTTP, whatever it answers. */
  ask<T, V>(document: TypedDocumentNode<T, V> | string, variables?: V): Promise<Answer<T>>;
  /** The data; throws the first error if there is one. */
  get<T, V>(document: TypedDocumentNode<T, V>, variables?: V): Promise<T>;
  /** A graphql-transport-ws client, disposed when the app is closed. */
  socket(): Client;
}

/** The real application on a real port, with a database, a data directory and keys of its own. */
export interface TestApp {
  readonly app: App;
  readonly url: string;
  readonly config: Config;
  readonly database: TestDatabase;
  caller(tenantId?: string, scope?: string): Promise<TestCaller>;
  close(): Promise<void>;
}

export interface TestAppOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  readonly log?: Log;
  /** Another way to the database, given its URL: a line that can be cut. */
  readonly via?: (url: string) => string;
  /** Others than ours and the example. */
  readonly connectors?: readonly Connector[];
  /** One that is there already; the app migrates it. */
  readonly database?: TestDatabase;
  /** A second process on the first one's database and keys. */
  readonly beside?: TestApp;
}

function standing(dataDir: string, databaseUrl: string): Record<string, string> {
  return { PORT: '0', TRIBUTARY_DATA_DIR: dataDir, EGRESS_ALLOW: '127.0.0.0/8', DATABASE_URL: databaseUrl };
}

export async function startTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const {
    env = {},
    clock = systemClock,
    beside,
    log = createLog('silent'),
    via = (url: string) => url,
  } = options;
  const database = beside?.database ?? options.database ?? (await createTestDatabase());
  const dataDir = beside?.config.TRIBUTARY_DATA_DIR ?? mkdtempSync(join(quickFolder(), 'tributary-test-'));
  const config = readConfig({ ...standing(dataDir, database.url), ...env });
  const app = await createApp({
    config,
    databaseUrl: via(database.url),
    connectors: options.connectors ?? [...connectors, example],
    clock,
    log,
  });
  const url = await app.listen();
  const clients: Client[] = [];
  return {
    app,
    url,
    config,
    database,
    async caller(tenantId = 'acme', scope = scopes.join(' ')) {
      const claims = { tenantId, subject: `user-of-${tenantId}`, scope, lifetimeSeconds: 3_600 };
      return createCaller(url, await issueDevelopmentToken(config, claims, clock), clients);
    },
    async close() {
      for (const client of clients) await client.dispose();
      await app.close();
      if (beside) return;
      await database.drop();
      rmSync(dataDir, { recursive: true });
    },
  };
}

/** The same, closed when the running test ends. */
export async function useTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const app = await startTestApp(options);
  onTestFinished(() => app.close());
  return app;
}

/** `clients` collects the sockets that are opened, for whoever closes them. */
export function createCaller(url: string, token: string, clients: Client[] = []): TestCaller {
  async function ask<T, V>(document: TypedDocumentNode<T, V> | string, variables?: V): Promise<Answer<T>> {
    const query = typeof document === 'string' ? document : print(document);
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors = [] } = (await response.json()) as { data?: T; errors?: readonly GraphQLError[] };
    return { status: response.status, headers: response.headers, data, errors };
  }

  return {
    token,
    ask,
    async get(document, variables) {
      const { data, errors } = await ask(document, variables);
      if (errors[0] || !data) throw new Error(`${errors[0]?.extensions.code}: ${errors[0]?.message}`);
      return data;
    },
    socket() {
      const client = createClient({
        url: `${url.replace(/^http/, 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        connectionParams: { authorization: `Bearer ${token}` },
        retryAttempts: 0,
      });
      clients.push(client);
      return client;
    },
  };
}
