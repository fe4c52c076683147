import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GatewayConfigSupergraph } from '@graphql-hive/gateway-runtime';
import { Kind, parse, visit } from 'graphql';
import { Redis } from 'ioredis';
import { decodeJwt } from 'jose';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { compose } from '../examples/gateway/compose.js';
import { startGateway } from '../examples/gateway/gateway.js';
import { buildSchema } from '../resolvers/schema.js';
import { SignalsDocument } from '../schema/generated/operations.js';
import { type Db, openDb } from '../src/core/db.js';
import { createLog } from '../src/core/log.js';
import { createMetrics } from '../src/core/metrics.js';
import { createEntityEvents } from '../src/entity-event/publish.js';
import { migrations } from '../src/migrations/index.js';
import { Signal } from '../src/signal/signal.entity.js';
import { type TestApp, createCaller, startTestApp, useTestApp } from './support/app.js';
import { startFaultProxy } from './support/fault-proxy.js';
import { type Hook, connectGitHub, githubDelivery, post } from './support/github.js';

const log = createLog('silent');
const redisUrl = inject('redisUrl');

let app: TestApp;
let db: Db;
beforeAll(async () => {
  app = await startTestApp();
  db = await openDb({ url: app.database.url, entities: [Signal], migrations, log });
});
afterAll(async () => {
  await db.close();
  await app.close();
});

interface Heard {
  readonly channel: string;
  readonly event: { readonly __typename: string; readonly id: string; readonly cursor: string };
}

/** What a gateway hears that listens to these topics of these tenants. */
async function listen(prefix: string, tenants: readonly string[]): Promise<readonly Heard[]> {
  const heard: Heard[] = [];
  const redis = new Redis(redisUrl);
  onTestFinished(() => redis.disconnect());
  redis.on('message', (channel, text) => heard.push({ channel, event: JSON.parse(text) as Heard['event'] }));
  const topics = ['signals', 'connections', 'health'];
  await redis.subscribe(
    ...tenants.flatMap((tenant) => topics.map((topic) => `${prefix}:${topic}:${tenant}`)),
  );
  return heard;
}

/** A process that publishes. Answers what stops it; it is stopped when the running test ends. */
async function publish(prefix: string, url = redisUrl): Promise<() => Promise<void>> {
  const metrics = createMetrics();
  const stop = await createEntityEvents({ db, log, metrics, url, prefix, selfCheckMs: 100 }).follow();
  let stopping: Promise<void> | undefined;
  const stopOnce = () => (stopping ??= stop());
  onTestFinished(stopOnce);
  return stopOnce;
}

let issues = 0;

async function send({ url, secret }: Hook, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let left = count; left > 0; left -= 1) {
    const n = (issues += 1);
    const issue = { id: n, number: n, title: `Issue ${n}` };
    const payload = { action: 'opened', issue, repository: { full_name: 'acme/x' } };
    ids.push(...((await post(url, await githubDelivery('issues', payload, secret))).body.signals ?? []));
  }
  return ids;
}

/** A tenant of its own with a webhook. */
async function newTenant() {
  const id = `tenant-${randomUUID()}`;
  const caller = await app.caller(id);
  return { id, caller, hook: await connectGitHub(caller) };
}

const newPrefix = (): string => `test-${randomUUID()}`;
const idsOf = (heard: readonly Heard[], type = 'signals'): string[] =>
  heard.filter(({ channel }) => channel.includes(`:${type}:`)).map(({ event }) => event.id);

/** Nobody has published yet, or everything up to here. */
const begin = async () => void (await app.database.query('delete from entity_event_positions'));

describe('keys of entities', () => {
  it('are published after the commit, in order, on the channels of their tenant alone', async () => {
    await begin();
    const prefix = newPrefix();
    const [mine, theirs] = [await newTenant(), await newTenant()];
    const heard = await listen(prefix, [mine.id, theirs.id]);
    await publish(prefix);
    const { connectionId } = mine.hook;
    await expect
      .poll(async () => (await app.database.query('select from entity_event_positions')).length)
      .toBe(3);
    const ids = await send(mine.hook, 3);
    const other = await send(theirs.hook, 1);
    await app.database.query(
      `insert into health_changes (connection_id, tenant_id, previous_status, status, occurred_at)
       values ($1, $2, 'HEALTHY', 'DEGRADED', now())`,
      [connectionId, mine.id],
    );
    await connectGitHub(mine.caller, 'second');
    await expect.poll(() => heard.length).toBe(6);
    const of = (type: string, tenant: string) =>
      heard.filter(({ channel }) => channel === `${prefix}:${type}:${tenant}`).map(({ event }) => event);
    expect(of('signals', mine.id).map(({ id }) => id)).toEqual(ids);
    expect(of('signals', theirs.id).map(({ id }) => id)).toEqual(other);
    expect(of('health', mine.id)).toEqual([
      { __typename: 'IntegrationConnection', id: connectionId, cursor: expect.any(String) },
    ]);
    expect(of('connections', mine.id)).toHaveLength(1);
    // Who missed the second and third goes on behind the first.
    const [first] = of('signals', mine.id);
    expect(first).toMatchObject({ __typename: 'Signal' });
    const { signals } = await mine.caller.get(SignalsDocument, { after: first?.cursor });
    expect(signals.nodes.map(({ id }) => id)).toEqual(ids.slice(1));
  });

  it('are published once by processes that stand side by side, and on by those that stay', async () => {
    await begin();
    const prefix = newPrefix();
    const { id, hook } = await newTenant();
    const heard = await listen(prefix, [id]);
    const stops = [await publish(prefix), await publish(prefix), await publish(prefix)];
    const ids = await send(hook, 5);
    await stops[0]?.();
    ids.push(...(await send(hook, 5)));
    await stops[1]?.();
    ids.push(...(await send(hook, 5)));
    await expect.poll(() => idsOf(heard)).toEqual(ids);
  });

  it('wait while another process publishes, and go on where it died', async () => {
    await begin();
    const prefix = newPrefix();
    const { id, hook } = await newTenant();
    const heard = await listen(prefix, [id]);
    const dying = new Client(app.database.url);
    dying.on('error', () => {});
    await dying.connect();
    // As a process does: the place is kept when it begins, and held while it publishes.
    await dying.query(`select entity_events_take('signals')`);
    await dying.query(`begin; select entity_events_take('signals')`);
    await publish(prefix);
    const ids = await send(hook, 3);
    // The other feeds are free: when something of them has come, this one has been looked at, too.
    await connectGitHub(await app.caller(id), 'second');
    await expect.poll(() => idsOf(heard, 'connections')).toHaveLength(1);
    expect(idsOf(heard)).toEqual([]);
    await app.database.query(`select pg_terminate_backend($1)`, [
      (await dying.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid,
    ]);
    await expect.poll(() => idsOf(heard)).toEqual(ids);
  });

  it('are kept while Redis is away, however many', async () => {
    await begin();
    const prefix = newPrefix();
    const { id, hook } = await newTenant();
    const heard = await listen(prefix, [id]);
    const port = Number(new URL(redisUrl).port || 6379);
    const proxy = await startFaultProxy(() => port);
    onTestFinished(() => proxy.close());
    await publish(prefix, `redis://127.0.0.1:${proxy.port}`);
    const change = `insert into health_changes (connection_id, tenant_id, previous_status, status, occurred_at)
      select $1, $2, 'HEALTHY', 'DEGRADED', now() from generate_series(1, $3) returning sequence`;
    const insert = (count: number) =>
      app.database.query<{ sequence: string }>(change, [hook.connectionId, id, count]);
    const told = (): string[] =>
      heard.filter(({ channel }) => channel.includes(':health:')).map(({ event }) => event.cursor);
    const rows = await insert(1);
    await expect.poll(told).toHaveLength(1);
    proxy.cut();
    rows.push(...(await insert(1_200)));
    proxy.mend();
    const all = rows.map(({ sequence }) => Buffer.from(`health:${sequence}`).toString('base64url'));
    // What was under way when the line was cut may come twice.
    await expect.poll(() => [...new Set(told())], { timeout: 10_000 }).toEqual(all);
  });
});

const example = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../examples/gateway', name), 'utf8');

/** The package that Hive Gateway brings along, and takes its `pubsub` from. */
async function openPubSub(channelPrefix: string): Promise<NonNullable<GatewayConfigSupergraph['pubsub']>> {
  const gateway = createRequire(import.meta.url).resolve('@graphql-hive/gateway-runtime');
  const { RedisPubSub } = (await import(createRequire(gateway).resolve('@graphql-hive/pubsub/redis'))) as {
    RedisPubSub: new (
      connections: { pub: Redis; sub: Redis },
      options: { channelPrefix: string },
    ) => NonNullable<GatewayConfigSupergraph['pubsub']>;
  };
  return new RedisPubSub({ pub: new Redis(redisUrl), sub: new Redis(redisUrl) }, { channelPrefix });
}

/** The part of it that is used here. */
interface ContextBuilding {
  readonly context: { readonly headers: Readonly<Record<string, string>> };
  extendContext(more: object): void;
}

describe('through Hive Gateway', () => {
  it('a subscription that nobody holds at Tributary is filled in from there, with the caller’s own token', async () => {
    await begin();
    const prefix = newPrefix();
    const env = { ENTITY_EVENTS_REDIS_URL: redisUrl, ENTITY_EVENTS_PREFIX: prefix };
    const worker = await useTestApp({ beside: app, env });
    await worker.app.startWorking();
    const [mine, theirs] = [await newTenant(), await newTenant()];
    const supergraph = compose([
      { name: 'tributary', url: `${app.url}/graphql`, sdl: buildSchema().sdl },
      { name: 'events', url: 'http://127.0.0.1:1', sdl: example('events.graphql') },
    ]);
    const gateway = await startGateway(supergraph, 0, {
      pubsub: await openPubSub(prefix),
      // In place of the gateway's `jwt`, which verifies the token before it takes its claims.
      plugins: () => [
        {
          onContextBuilding({ context, extendContext }: ContextBuilding) {
            const token = context.headers['authorization']?.replace('Bearer ', '') ?? '';
            extendContext({ jwt: { payload: decodeJwt(token) } });
          },
        },
      ],
    });
    onTestFinished(() => gateway.close());
    const client = createCaller(new URL(gateway.url).origin, mine.caller.token).socket();
    onTestFinished(() => void client.dispose());
    const stream = client.iterate({
      query: 'subscription { signalAnnounced { id type connection { id name } } }',
    });
    const next = stream.next();
    const pub = new Redis(redisUrl);
    onTestFinished(() => pub.disconnect());
    const channel = `${prefix}:signals:${mine.id}`;
    await expect.poll(async () => (await pub.pubsub('NUMSUB', channel))[1]).toBe(1);
    await send(theirs.hook, 1);
    const [id] = await send(mine.hook, 1);
    expect((await next).value).toEqual({
      data: {
        signalAnnounced: {
          id,
          type: 'issue_created',
          connection: { id: mine.hook.connectionId, name: expect.any(String) },
        },
      },
    });
    await stream.return?.();
  });
});

it('the graph for Cosmo names the channels that there are', () => {
  const channels: string[] = [];
  visit(parse(example('events-cosmo.graphql')), {
    Directive({ name, arguments: given = [] }) {
      if (name.value !== 'edfs__redisSubscribe') return;
      for (const { value } of given)
        if (value.kind === Kind.LIST)
          channels.push(...value.values.map((one) => (one.kind === Kind.STRING ? one.value : '')));
    },
  });
  expect(channels).toEqual(['signals', 'connections', 'health'].map((topic) => `tributary:${topic}:acme`));
});
