import { randomUUID } from 'node:crypto';
import { print } from 'graphql';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SignalReceivedDocument, type SignalReceivedSubscription } from '../schema/generated/operations.js';
import { type Db, openDb } from '../src/core/db.js';
import { type Hints, createHints } from '../src/core/hints.js';
import { createLog } from '../src/core/log.js';
import { createMetrics } from '../src/core/metrics.js';
import { connectRedis } from '../src/core/redis.js';
import { createEntityEvents } from '../src/entity-event/publish.js';
import { migrations } from '../src/migrations/index.js';
import { createFeed } from '../src/signal/feed.js';
import { type Journal, SIGNAL_HINTS, createJournal } from '../src/signal/journal.js';
import { Signal } from '../src/signal/signal.entity.js';
import { useTestApp } from './support/app.js';
import { type TestDatabase, useClient, useTestDatabase } from './support/database.js';
import { type FaultProxy, startFaultProxy } from './support/fault-proxy.js';
import { connectGitHub, githubDelivery, post } from './support/github.js';
import { journalEntry } from './support/journal.js';
import { type Restartable, useRedis } from './support/story-servers.js';

const log = createLog('silent');
/** Nobody looks by itself: whoever is told was told by a hint. */
const NEVER_MS = 3_600_000;
const ROUNDS = 20;

interface Process {
  readonly db: Db;
  readonly redis: Redis;
  readonly hints: Hints;
  readonly journal: Journal;
  /** The events whose signals a subscriber was told of so far. */
  readonly told: readonly string[];
}

/** So long that a busy machine is not taken for a Redis that hangs. */
const PATIENCE_MS = 10_000;

/** What one process has of it. */
async function open(database: TestDatabase, redisUrl: string, patienceMs = PATIENCE_MS): Promise<Process> {
  const metrics = createMetrics();
  const db = await openDb({ url: database.url, entities: [Signal], migrations, log });
  const redis = connectRedis(redisUrl, log);
  redis.options.commandTimeout = patienceMs;
  const hints = createHints({ db, log, redis });
  const feed = await createFeed({ db, hints, log, metrics, selfCheckMs: NEVER_MS });
  const told: string[] = [];
  const following = (async () => {
    for await (const signal of feed.subscribe({ tenantId: 'acme' }, {}, '0'))
      told.push(String(signal.correlationId));
  })();
  onTestFinished(async () => {
    await feed.close();
    await following;
    await hints.close();
    redis.disconnect();
    await db.close();
  });
  return {
    db,
    redis,
    hints,
    journal: createJournal({ pool: db.doors, hints, log, metrics }),
    told,
  };
}

/** The same, once it hears and gives hints at Redis. */
async function openReady(...how: Parameters<typeof open>): Promise<Process> {
  const opened = await open(...how);
  await expect.poll(opened.hints.canGive, { timeout: 10_000 }).toBe(true);
  return opened;
}

/** The payloads of every NOTIFY so far, when asked; one of our own, elsewhere, shows that none is still under way. */
async function overhear(database: TestDatabase): Promise<() => Promise<readonly string[]>> {
  const client = await useClient({ connectionString: database.url });
  const heard: string[] = [];
  let asked = 0;
  let ends = 0;
  client.on('notification', ({ channel, payload = '' }) =>
    channel === SIGNAL_HINTS ? heard.push(payload) : (ends += 1),
  );
  await client.query(`listen ${SIGNAL_HINTS}; listen the_end`);
  return async () => {
    await client.query('notify the_end');
    asked += 1;
    await expect.poll(() => ends).toBe(asked);
    return heard.splice(0);
  };
}

/** What is published at Redis from now on. */
async function overhearRedis(url: string, channel = 'tributary:hints'): Promise<readonly string[]> {
  const heard: string[] = [];
  const client = new Redis(url);
  onTestFinished(() => client.disconnect());
  client.on('message', (_, text) => heard.push(text));
  await client.subscribe(channel);
  return heard;
}

async function useLine({ url }: Restartable): Promise<FaultProxy & { readonly url: string }> {
  const proxy = await startFaultProxy(() => Number(new URL(url).port));
  onTestFinished(() => proxy.close());
  return { ...proxy, url: `redis://127.0.0.1:${proxy.port}` };
}

async function untilTold({ told }: Process, event: string): Promise<void> {
  await expect.poll(() => told.at(-1)).toBe(event);
}

const append = ({ journal }: Process, event: string) =>
  journal.append(journalEntry('acme', randomUUID(), event));

describe('hints', () => {
  it('go by Redis alone while it is there, and only where there is something new', async () => {
    const [database, redis] = [await useTestDatabase(), await useRedis()];
    const [writer, reader] = [await openReady(database, redis.url), await openReady(database, redis.url)];
    const notified = await overhear(database);
    const published = await overhearRedis(redis.url);
    const entry = journalEntry('acme', randomUUID(), 'first');
    await writer.journal.append(entry);
    await untilTold(reader, 'first');
    await untilTold(writer, 'first');
    await expect.poll(() => published.length).toBe(1);
    const again = { ...entry, delivery: { ...entry.delivery, id: randomUUID() } };
    expect(await writer.journal.append(again)).toMatchObject({ isDuplicate: true });
    await append(writer, 'second');
    await untilTold(reader, 'second');
    await expect.poll(() => published.length).toBe(2);
    expect(await notified()).toEqual([]);
  });

  it('go by NOTIFY while Redis is gone, and by Redis again once it is back', async () => {
    const [database, redis] = [await useTestDatabase(), await useRedis()];
    const [writer, reader] = [await openReady(database, redis.url), await openReady(database, redis.url)];
    const notified = await overhear(database);
    await redis.end('SIGKILL');
    // Whether the writer has noticed or finds out by this.
    await append(writer, 'without');
    await untilTold(reader, 'without');
    expect(await notified()).toHaveLength(1);
    await append(writer, 'still without');
    await untilTold(reader, 'still without');
    expect(await notified()).toHaveLength(1);
    await redis.start();
    for (const { hints } of [writer, reader])
      await expect.poll(hints.canGive, { timeout: 10_000 }).toBe(true);
    await append(writer, 'with');
    await untilTold(reader, 'with');
    expect(await notified()).toEqual([]);
  });

  it('keep nobody waiting for a Redis that hangs, and go by NOTIFY after all', async () => {
    const [database, redis] = [await useTestDatabase(), await useRedis()];
    const line = await useLine(redis);
    const [writer, reader] = [await openReady(database, line.url, 200), await openReady(database, redis.url)];
    const notified = await overhear(database);
    line.freeze();
    await append(writer, 'late');
    // Acknowledged before anybody knows that it hangs.
    expect(writer.hints.canGive()).toBe(true);
    await expect.poll(writer.hints.canGive, { interval: 5 }).toBe(false);
    await untilTold(reader, 'late');
    expect(await notified()).toHaveLength(1);
    line.mend();
    await expect.poll(writer.hints.canGive, { timeout: 10_000 }).toBe(true);
  });

  it('go by NOTIFY with the commit itself from a process whose line to publish on is gone', async () => {
    const [database, redis] = [await useTestDatabase(), await useRedis()];
    const [writer, reader] = [await openReady(database, redis.url), await openReady(database, redis.url)];
    const notified = await overhear(database);
    writer.redis.disconnect();
    await expect.poll(writer.hints.canGive).toBe(false);
    const { signalIds } = await append(writer, 'without');
    await untilTold(reader, 'without');
    const [{ sequence } = {}] = await database.query<{ sequence: string }>(
      'select sequence::text from signals where id = $1',
      signalIds.slice(),
    );
    expect(await notified()).toEqual([sequence]);
  });

  it('that one process did not hear while its line was cut are made up for by a look', async () => {
    const [database, redis] = [await useTestDatabase(), await useRedis()];
    const line = await useLine(redis);
    const [writer, reader] = [await openReady(database, redis.url), await openReady(database, line.url)];
    const notified = await overhear(database);
    const published = await overhearRedis(redis.url);
    await append(writer, 'heard');
    await untilTold(reader, 'heard');
    line.cut();
    await expect.poll(reader.hints.canGive).toBe(false);
    await append(writer, 'missed');
    await expect.poll(() => published.length).toBe(2);
    expect(await notified()).toEqual([]);
    expect(reader.told).toEqual(['heard']);
    line.mend();
    await untilTold(reader, 'missed');
    expect(await notified()).toEqual([]);
  });

  it('go by NOTIFY from a process that may not listen at Redis itself', async () => {
    const [database, redis] = [await useTestDatabase(), await useRedis()];
    const owner = new Redis(redis.url);
    onTestFinished(() => owner.disconnect());
    await owner.call('acl', 'setuser', 'mute', 'on', '>secret', '~*', '&*', '+@all');
    const mute = new URL(redis.url);
    [mute.username, mute.password] = ['mute', 'secret'];
    const [writer, reader] = [await openReady(database, mute.href), await openReady(database, redis.url)];
    await owner.call('acl', 'setuser', 'mute', '-subscribe');
    await owner.call('client', 'kill', 'type', 'pubsub');
    await expect.poll(writer.hints.canGive).toBe(false);
    expect(writer.redis.status).toBe('ready');
    const notified = await overhear(database);
    const published = await overhearRedis(redis.url);
    await append(writer, 'unheard of');
    await untilTold(reader, 'unheard of');
    expect(await notified()).toHaveLength(1);
    expect(published).toEqual([]);
  });

  it('are one on the way and one behind it, however many are given', async () => {
    const [database, redis] = [await useTestDatabase(), await useRedis()];
    const [writer, reader] = [await openReady(database, redis.url), await openReady(database, redis.url)];
    const published = await overhearRedis(redis.url);
    let [heard, own] = [0, 0];
    const stop = await reader.hints.listen('other', () => (heard += 1));
    await writer.hints.listen('other', () => (own += 1));
    [heard, own] = [0, 0];
    for (let n = 0; n < 1_000; n += 1) writer.hints.give('other');
    await expect.poll(() => published.length).toBe(2);
    await expect.poll(() => heard).toBe(2);
    // What the process gave itself does not come back to it: in the order of Redis the other's hint is behind that.
    reader.hints.give('other');
    await expect.poll(() => own).toBeGreaterThan(1_000);
    expect(own).toBe(1_001);
    expect(heard).toBe(3);
    await stop();
    writer.hints.give('other');
    await expect.poll(() => published.length).toBe(4);
    await append(writer, 'heard after it');
    await untilTold(reader, 'heard after it');
    expect(heard).toBe(3);
  });

  it('tell those at once who publish the keys of entities', async () => {
    const [database, redis] = [await useTestDatabase(), await useRedis()];
    const [writer, worker] = [await openReady(database, redis.url), await openReady(database, redis.url)];
    const { db, hints } = worker;
    const settings = { url: redis.url, prefix: 'entities', selfCheckMs: NEVER_MS };
    const stop = await createEntityEvents({ db, hints, log, metrics: createMetrics(), ...settings }).follow();
    onTestFinished(stop);
    const notified = await overhear(database);
    const published = await overhearRedis(redis.url, 'entities:signals:acme');
    const { signalIds } = await append(writer, 'first');
    await expect.poll(() => published.map((text) => JSON.parse(text).id as string)).toEqual(signalIds);
    expect(await notified()).toEqual([]);
  });

  it('go between two whole processes', async () => {
    const redis = await useRedis();
    const env = { REDIS_URL: redis.url };
    const first = await useTestApp({ env });
    const second = await useTestApp({ env, beside: first });
    const { url, secret } = await connectGitHub(await first.caller());
    const stream = (await second.caller()).socket().iterate<SignalReceivedSubscription>({
      query: print(SignalReceivedDocument),
      variables: { after: Buffer.from('signals:0').toString('base64url') },
    });
    const published = await overhearRedis(redis.url);
    const send = async (number: number): Promise<string | undefined> => {
      const issue = { id: number, number, title: 'An issue' };
      const payload = { action: 'opened', issue, repository: { full_name: 'acme/x' } };
      return (await post(url, await githubDelivery('issues', payload, secret))).body.signals?.[0];
    };
    const next = async () => (await stream.next()).value.data.signalReceived.id as string;
    // By then both hear Redis, and the stream has begun.
    await expect.poll(() => send(Math.random()).then(() => published.length)).toBeGreaterThan(0);
    const notified = await overhear(first.database);
    const began = performance.now();
    const sent = await send(1);
    while ((await next()) !== sent);
    for (let number = 2; number <= ROUNDS; number += 1) expect([await send(number)]).toEqual([await next()]);
    // By looking for itself alone it would take a second for each, as each waits for the one before.
    expect(performance.now() - began).toBeLessThan((ROUNDS / 2) * 1_000);
    // A few may have gone by NOTIFY, where Redis had no answer in time.
    expect((await notified()).length).toBeLessThan(ROUNDS / 2);
  });
});
