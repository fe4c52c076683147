import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { print } from 'graphql';
import type { Client as Socket } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ConnectDocument,
  ConnectionChangedDocument,
  type ConnectionChangedSubscription,
  type ConnectionChangedSubscriptionVariables,
  DisconnectDocument,
  ReceiptsDocument,
  ResumeDocument,
  RotateDocument,
  SuspendDocument,
  UpdateConnectionDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { systemClock } from '../src/core/clock.js';
import { type TestApp, type TestCaller, startTestApp, useTestApp } from './support/app.js';
import { useClient } from './support/database.js';
import { answer } from './support/fake-behavior.js';
import { type FakeGitHub, startFakeGitHub } from './support/fake-github.js';
import { connectGitHub } from './support/github.js';

type Change = ConnectionChangedSubscription['connectionChanged'];

let github: FakeGitHub;
let app: TestApp;
let env: Record<string, string>;
beforeAll(async () => {
  github = await startFakeGitHub(systemClock);
  env = { TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url };
  app = await startTestApp({ env });
});
afterAll(async () => {
  await app.close();
  await github.provider.close();
});

/** A tenant with one connection, and the cursor of the change that made it. */
async function begin(): Promise<{ tenant: string; caller: TestCaller; first: string; start: string }> {
  const tenant = `tenant-${randomUUID()}`;
  const caller = await app.caller(tenant);
  const { connectionId } = await connectGitHub(caller, 'first', github.token);
  return { tenant, caller, first: connectionId, start: (await stored(tenant))[0]! };
}

/** The cursors of what is in the table, in order. */
async function stored(tenant: string): Promise<string[]> {
  const select = `select sequence from connection_changes where tenant_id = $1 order by connection_changes.sequence`;
  const rows = await app.database.query<{ sequence: string }>(select, [tenant]);
  return rows.map(({ sequence }) => Buffer.from(`changes:${sequence}`).toString('base64url'));
}

function follow(client: Socket, variables: ConnectionChangedSubscriptionVariables = {}) {
  return client.iterate<ConnectionChangedSubscription>({
    query: print(ConnectionChangedDocument),
    variables: { ...variables },
  });
}

type Stream = ReturnType<typeof follow>;

async function take(stream: Stream, count: number): Promise<Change[]> {
  const taken: Change[] = [];
  while (taken.length < count) {
    const { value, done } = await stream.next();
    if (done) throw new Error('the stream has ended');
    if (value.errors || !value.data) throw new Error(JSON.stringify(value.errors));
    taken.push(value.data.connectionChanged);
  }
  return taken;
}

async function codeOf(stream: Stream): Promise<unknown> {
  return (await stream.next()).value.errors?.[0]?.extensions['code'];
}

const update = (caller: TestCaller, connectionId: string, description: string) =>
  caller.ask(UpdateConnectionDocument, { input: { connectionId, description } });

/** Another tenant's subscriber has the process read on: what was committed until now, others find in the table only. */
async function leaveBehind(): Promise<void> {
  const { caller, first, start } = await begin();
  const stream = follow(caller.socket(), { after: start });
  await update(caller, first, 'onward');
  await take(stream, 1);
  await stream.return?.();
}

const cursors = (changes: readonly Change[]): string[] => changes.map(({ cursor }) => cursor);

describe('connectionChanged', () => {
  it('tells of every change once, in order, with the status before and after', async () => {
    const { caller, first, start } = await begin();
    const stream = follow(caller.socket(), { after: start });
    const { connectionId } = await connectGitHub(caller, 'second', github.token);
    await caller.get(VerifyDocument, { connectionId });
    await caller.get(RotateDocument, { input: { connectionId, what: 'WEBHOOK_SECRET' } });
    await caller.get(UpdateConnectionDocument, { input: { connectionId, name: 'other' } });
    github.provider.next('GET /user', answer({ status: 401, body: { message: 'Bad credentials' } }));
    await caller.get(VerifyDocument, { connectionId });
    const credential = { token: github.token };
    await caller.get(RotateDocument, { input: { connectionId, what: 'CREDENTIAL', credential } });
    await caller.get(SuspendDocument, { connectionId });
    await caller.get(SuspendDocument, { connectionId });
    await caller.get(ResumeDocument, { connectionId });
    await caller.get(DisconnectDocument, { connectionId });
    await update(caller, first, 'the end');

    const changes = await take(stream, 10);
    await stream.return?.();
    const words = changes.map(({ verb, outcome, previousStatus, status }) =>
      [verb, outcome, previousStatus, status].join(' '),
    );
    expect(words).toEqual([
      'connect SUCCESS  PENDING_VERIFICATION',
      'verify SUCCESS PENDING_VERIFICATION ACTIVE',
      'rotate SUCCESS ACTIVE ACTIVE',
      'update SUCCESS ACTIVE ACTIVE',
      'verify FAILURE ACTIVE ERROR',
      'rotate SUCCESS ERROR ACTIVE',
      'suspend SUCCESS ACTIVE SUSPENDED',
      'resume SUCCESS SUSPENDED ACTIVE',
      'disconnect SUCCESS ACTIVE DELETED',
      'update SUCCESS PENDING_VERIFICATION PENDING_VERIFICATION',
    ]);
    expect(changes.at(-2)?.connection).toMatchObject({ id: connectionId, name: 'other', status: 'DELETED' });
    const { receipts } = await caller.get(ReceiptsDocument, { first: 10 });
    const attested = receipts.nodes.toReversed();
    expect(attested.map(({ operation }) => operation.split('.').at(-1))).toEqual(
      changes.map(({ verb }) => verb),
    );
    expect(attested.map(({ occurredAt }) => occurredAt)).toEqual(changes.map(({ occurredAt }) => occurredAt));
  });

  it('without a cursor starts now, with one behind it', async () => {
    const { tenant, caller, first } = await begin();
    const stream = follow(caller.socket());
    let isThere = false;
    const live = take(stream, 1).finally(() => (isThere = true));
    await expect.poll(async () => (await update(caller, first, 'again')) && isThere).toBe(true);
    await stream.return?.();
    const [seen] = await live;
    const all = await stored(tenant);
    expect(all.indexOf(seen!.cursor)).toBeGreaterThan(0);
    const resumed = follow(caller.socket(), { after: all[0]! });
    expect(cursors(await take(resumed, all.length - 1))).toEqual(all.slice(1));
    await resumed.return?.();
  });

  it('follows one connection, in what was missed and in what is live', async () => {
    const { caller, first, start } = await begin();
    const { connectionId } = await connectGitHub(caller, 'second');
    await update(caller, first, 'one');
    await update(caller, connectionId, 'two');
    await leaveBehind();
    const stream = follow(caller.socket(), { after: start, connectionId: connectionId.toUpperCase() });
    const seen = await take(stream, 2);
    await update(caller, first, 'three');
    await update(caller, connectionId, 'four');
    seen.push(...(await take(stream, 1)));
    expect(seen.map(({ verb, connection }) => [verb, connection.id])).toEqual(
      ['connect', 'update', 'update'].map((verb) => [verb, connectionId]),
    );
    await stream.return?.();
  });

  it('needs the scope to read, and a cursor of its own', async () => {
    const { tenant, caller } = await begin();
    const writer = await app.caller(tenant, 'integrations:write');
    expect(await codeOf(follow(writer.socket()))).toBe('FORBIDDEN');
    for (const after of ['nonsense', Buffer.from('signals:1').toString('base64url')]) {
      expect(await codeOf(follow(caller.socket(), { after }))).toBe('INVALID_CURSOR');
    }
  });

  it('shows a tenant nothing of another: no change, no connection, no place in the order', async () => {
    const [mine, theirs] = [await begin(), await begin()];
    const stream = follow(mine.caller.socket(), { after: mine.start });
    const foreign = follow(mine.caller.socket(), { after: mine.start, connectionId: theirs.first });
    const nothing = take(foreign, 1);
    await update(theirs.caller, theirs.first, 'theirs');
    await update(mine.caller, mine.first, 'mine');
    expect((await take(stream, 1))[0]?.connection.id).toBe(mine.first);
    await stream.return?.();
    await foreign.return?.();
    await expect(nothing).rejects.toThrow('the stream has ended');
    expect(await codeOf(follow(mine.caller.socket(), { after: theirs.start }))).toBe('INVALID_CURSOR');
  });

  it('tells nothing of a change that was rolled back', async () => {
    const { tenant, caller, first, start } = await begin();
    const { connectionId } = await connectGitHub(caller, 'second');
    const stream = follow(caller.socket(), { after: start });
    const taken = await caller.ask(UpdateConnectionDocument, { input: { connectionId, name: 'first' } });
    expect(taken.errors[0]?.extensions.code).toBe('NAME_TAKEN');
    const writer = await beginWriting(tenant);
    await writer.insert(first);
    await writer.client.query('rollback');
    await update(caller, first, 'kept');
    const changes = await take(stream, 2);
    expect(changes.map(({ verb }) => verb)).toEqual(['connect', 'update']);
    expect(cursors(changes)).toEqual((await stored(tenant)).slice(1));
    await stream.return?.();
  });
});

/** A transaction under the role of every request. */
async function beginWriting(tenant: string) {
  const client = await useClient({ connectionString: app.database.url, options: '-c role=tributary_app' });
  await client.query('begin');
  await client.query(`select set_config('tributary.tenant', $1, true)`, [tenant]);
  return {
    client,
    insert: (connectionId: string) =>
      client.query(
        `insert into connection_changes (tenant_id, connection_id, verb, outcome, status, occurred_at)
         values ($1, $2, 'update', 'SUCCESS', 'ACTIVE', now())`,
        [tenant, connectionId],
      ),
  };
}

describe('the order of changes', () => {
  it('is the order of commits: who comes second waits for the first, in whichever process', async () => {
    const { tenant, caller, first, start } = await begin();
    const { connectionId } = await connectGitHub(caller, 'second');
    const stream = follow(caller.socket(), { after: start });
    await take(stream, 1);
    const writer = await beginWriting(tenant);
    await writer.insert(connectionId);
    const later = update(caller, first, 'later');
    const waiting = `select count(*)::int as n from pg_locks where locktype = 'advisory' and not granted
      and database = (select oid from pg_database where datname = current_database())`;
    await expect.poll(() => app.database.query(waiting)).toEqual([{ n: 1 }]);
    await writer.client.query('commit');
    await later;
    expect((await take(stream, 2)).map(({ connection }) => connection.id)).toEqual([connectionId, first]);
    await stream.return?.();
  });

  it('holds up nobody while a change waits for a row', async () => {
    const [{ tenant, caller, first }, other] = [await begin(), await begin()];
    const { client } = await beginWriting(tenant);
    await client.query('select from webhook_endpoints where connection_id = $1 for update', [first]);
    const waiting = caller.ask(RotateDocument, { input: { connectionId: first, what: 'WEBHOOK_SECRET' } });
    const blocked = `select count(*)::int as n from pg_stat_activity
      where wait_event_type = 'Lock' and datname = current_database()`;
    await expect.poll(() => app.database.query(blocked)).toEqual([{ n: 1 }]);
    expect((await update(other.caller, other.first, 'meanwhile')).errors).toEqual([]);
    await client.query('commit');
    expect((await waiting).errors).toEqual([]);
  });

  it('reaches subscribers of every process, with nothing lost or doubled wherever they are cut', async () => {
    const second = await useTestApp({ beside: app, env });
    const plan = fc.record({
      steps: fc.array(fc.tuple(fc.nat(1), fc.constantFrom(...whats), fc.nat(5)), {
        minLength: 5,
        maxLength: 30,
      }),
      cuts: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ steps, cuts }) => {
        const { tenant, caller, first, start } = await begin();
        const callers = [caller, await second.caller(tenant)];
        const readers = callers.map((reader) => followInPieces(reader, start, cuts));
        const answers = await Promise.all(
          steps.map(([at, what, n]) => writes[what](callers[at]!, first, `name ${n}`)),
        );
        const codes = answers.map(({ errors }) => errors[0]?.extensions.code);
        expect(codes.filter((code) => code !== undefined && code !== 'NAME_TAKEN')).toEqual([]);
        await caller.get(SuspendDocument, { connectionId: first });
        const expected = (await stored(tenant)).slice(1);
        expect(expected).toHaveLength(codes.filter((code) => code === undefined).length + 1);
        for (const seen of await Promise.all(readers)) expect(seen).toEqual(expected);
      }),
      { numRuns: 8 },
    );
  }, 30_000);

  it('goes on after the database has cut the ear of a process', async () => {
    const { tenant, caller, first, start } = await begin();
    const stream = follow(caller.socket(), { after: start });
    await update(caller, first, 'before');
    await take(stream, 1);
    const cut = `select pg_terminate_backend(pid) as cut from pg_stat_activity
      where datname = current_database() and query like 'listen "%'`;
    expect((await app.database.query(cut)).length).toBeGreaterThan(0);
    await update(caller, first, 'deaf');
    expect(cursors(await take(stream, 1))).toEqual((await stored(tenant)).slice(2));
    await stream.return?.();
  });
});

/** Each is one change, or none where the name is taken: that one is rolled back. */
const writes = {
  connect: (caller: TestCaller, _connectionId: string, name: string) =>
    caller.ask(ConnectDocument, {
      input: { providerId: 'github', name, authMethod: 'BEARER', credential: { token: github.token } },
    }),
  rename: (caller: TestCaller, connectionId: string, name: string) =>
    caller.ask(UpdateConnectionDocument, { input: { connectionId, name } }),
  rotate: (caller: TestCaller, connectionId: string) =>
    caller.ask(RotateDocument, { input: { connectionId, what: 'WEBHOOK_SECRET' } }),
} as const;
const whats = Object.keys(writes) as (keyof typeof writes)[];

/** Follows until the connection is suspended, cut after each of the given counts and resumed from the last cursor seen. */
async function followInPieces(caller: TestCaller, start: string, cuts: readonly number[]): Promise<string[]> {
  const client = caller.socket();
  const seen: Change[] = [];
  for (let cut = 0; seen.at(-1)?.verb !== 'suspend'; cut += 1) {
    const stream = follow(client, { after: seen.at(-1)?.cursor ?? start });
    for (let left = cuts[cut % cuts.length]!; left > 0 && seen.at(-1)?.verb !== 'suspend'; left -= 1) {
      seen.push(...(await take(stream, 1)));
    }
    await stream.return?.();
  }
  await client.dispose();
  return cursors(seen);
}

describe('what is kept', () => {
  const age = (tenant: string) =>
    app.database.query(
      `update connection_changes set occurred_at = occurred_at - interval '8 days' where tenant_id = $1`,
      [tenant],
    );

  it('goes once the change after it is seven days old; whoever had seen only that is told', async () => {
    const [{ tenant, caller, first, start }, other] = [await begin(), await begin()];
    await update(caller, first, 'older');
    await update(caller, first, 'old');
    const [, older, old] = await stored(tenant);
    for (const one of [tenant, other.tenant]) await age(one);
    await update(caller, first, 'new');
    const kept = await stored(tenant);
    expect(kept).toEqual([old, kept[1]]);
    expect(await stored(other.tenant)).toEqual([other.start]);
    // Whoever has seen the last that went has missed nothing.
    for (const [after, told] of [
      [older, kept],
      [old, kept.slice(1)],
    ] as const) {
      const stream = follow(caller.socket(), { after: after! });
      expect(cursors(await take(stream, told.length))).toEqual(told);
      await stream.return?.();
    }
    const { value } = await follow(caller.socket(), { after: start }).next();
    expect(value.errors?.[0]?.extensions).toEqual({
      code: 'CURSOR_EXPIRED',
      details: { oldest_cursor: older },
    });
  });

  it('goes in bounded steps', async () => {
    const { tenant, caller, first } = await begin();
    const writer = await beginWriting(tenant);
    for (let n = 0; n < 149; n += 1) await writer.insert(first);
    await writer.client.query('commit');
    await age(tenant);
    await update(caller, first, 'one');
    expect(await stored(tenant)).toHaveLength(51);
    await update(caller, first, 'two');
    expect(await stored(tenant)).toHaveLength(3);
  });
});
