import { createHmac, randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { jobsOf } from '../../jobs/index.js';
import { ExecuteActionDocument, SignalsDocument } from '../../schema/generated/operations.js';
import type { RecurringJob } from '../../src/core/scheduler/index.js';
import type { TestApp } from './app.js';
import type { TestDatabase } from './database.js';
import { type Tenant, pick } from './tenancy.js';
import { get } from './tenancy-begin.js';
import type { MarkedExample } from './tenancy-providers.js';
import { ROTATED } from './tenancy-life.js';

// What is done without anybody asking: each tenant has something for every job, and all jobs look after all tenants.

/** An action whose answer says too little: it is due again, and looked into by the job. */
export async function interrupt(tenant: Tenant): Promise<void> {
  const { mark, work } = tenant;
  const key = `${mark} lost ${randomUUID()}`;
  const correlationId = `${mark}-did-lost`;
  const action = { addIssueComment: { project: 'DEMO', issue: 'DEMO-1', body: `by ${mark}` } };
  const input = { connectionId: work.connectionId, idempotencyKey: key, correlationId, action };
  const done = (await get(tenant, ExecuteActionDocument, { input }))['executeAction'] as {
    id: string;
    status: string;
  };
  expect(done.status).toBe('RETRYING');
  const { connectionId } = work;
  tenant.actions.set(key, { id: done.id, key, connectionId, correlationId, providerId: 'example' });
}

/** What makes work due for tenants ($1), as time or a death does: each changes rows of theirs alone. */
const dues = {
  // Just when the job finds them, which is before anybody who needs them renews them.
  'tokens end': `update credentials set created_at = created_at - interval '2 hours', refresh_after = null,
      expires_at = now() + interval '55 seconds'
                   + interval '4 minutes' * (abs(hashtext(connection_id::text)::bigint) % 1000) / 1000
    where tenant_id = any($1) and expires_at is not null`,
  // Every other process died over its attempt.
  'actions are due': `update actions set lease_until = now() - interval '1 second', held_until = now(),
      status = case when hashtext(id::text) % 2 = 0 then 'RUNNING' else status end
    where tenant_id = any($1) and status = 'RETRYING'`,
  'polls are due': `update poll_streams set due_at = now() where tenant_id = any($1)`,
  'streams have to be derived anew': `update pollings p set connector_version = '' from connections c
    where c.id = p.connection_id and p.tenant_id = any($1) and c.provider_id = 'example'`,
  'connections were quiet': `update connection_health h set due_at = now(), probe_due_at = now() from connections c
    where c.id = h.connection_id and h.tenant_id = any($1) and c.provider_id = 'example'`,
  'connections are to be looked at': `update connection_health set due_at = now() where tenant_id = any($1)`,
  'a sink’s answer was lost': `update incident_deliveries set settled_at = null, due_at = now(), lease_until = null
    where tenant_id = any($1)`,
  'a witness knows of nothing': `update receipt_anchors set due_at = now(), taken_size = null
    where tenant_id = any($1)`,
  // A moment ago, so that no clock of a process is behind it.
  'deliveries may have failed': `update webhook_registrations set redelivery_due_at = now() - interval '1 second'
    where tenant_id = any($1)`,
  'webhooks end': `update webhook_registrations set renewal_due_at = now() - interval '1 second'
    where tenant_id = any($1) and renewal_due_at is not null`,
  'a delivery got old': `update deliveries set received_at = received_at - interval '31 days' where id in (
      select distinct on (tenant_id) id from deliveries where tenant_id = any($1) and body is not null
      order by tenant_id, id)`,
  'the body of a receipt got old': `update receipt_leaves set sequenced_at = sequenced_at - interval '31 days'
    where (tenant_id, leaf_index) in (
      select tenant_id, bodies_deleted from receipt_logs where tenant_id = any($1))`,
  // The oldest: what another change of the tenant's own makes go is what came before it.
  'the first changes got old': `with health as (
      update health_changes set occurred_at = occurred_at - interval '40 days' where sequence in (
        select min(sequence) from health_changes where tenant_id = any($1) group by tenant_id))
    update connection_changes set occurred_at = occurred_at - interval '40 days' where sequence in (
      select min(sequence) from connection_changes where tenant_id = any($1) group by tenant_id)`,
};

/** Ninety days go by for keys. Only while the tenants do nothing: what they seal must not be that old. */
const KEYS_AGE = `with moved as (
    update reseals set walk_at = walk_at - interval '91 days' where tenant_id = any($1))
  update data_keys set created_at = created_at - interval '91 days' where tenant_id = any($1)`;

/** Something of the tenant's is due that was not. */
export async function makeDue(database: TestDatabase, { id }: Tenant, n: number): Promise<void> {
  await database.query(pick(Object.values(dues), n)!, [[id]]);
}

/** For tenants that do nothing at this moment. */
export async function ageKeys(database: TestDatabase, tenants: readonly Tenant[]): Promise<void> {
  await database.query(KEYS_AGE, [tenants.map(({ id }) => id)]);
}

const unstopped = { key: '', data: undefined, attempt: 1, signal: new AbortController().signal };
const jobsIn = ({ app }: TestApp) => jobsOf(app.services);
const run = (job: RecurringJob): Promise<void> =>
  job.run({ ...unstopped, fence: { name: job.name, key: '', number: '0' } });

/** What is done in the background, over all tenants, while they are at work. */
export async function runJob(app: TestApp, n: number): Promise<void> {
  await run(pick(jobsIn(app), n)!);
}

const MOST_ROUNDS = 10;

/**
 * Everything is due for everybody, and all processes run all jobs at the same time, until each job had something to do
 * for each tenant: one makes work for another, and who was just called needs no probe. The tenants do nothing else.
 */
export async function workOff(apps: readonly TestApp[], tenants: readonly Tenant[]): Promise<void> {
  const { database } = apps[0]!;
  const ids = tenants.map(({ id }) => id);
  const names = jobsIn(apps[0]!).map(({ name }) => name);
  expect(Object.keys(traces).toSorted()).toEqual(names.toSorted());
  let idle = names;
  for (let round = 0; round < 2 || (idle.length > 0 && round < MOST_ROUNDS); round += 1) {
    await Promise.all(tenants.map(interrupt));
    await ageKeys(database, tenants);
    for (const due of Object.values(dues)) await database.query(due, [ids]);
    await Promise.all(apps.flatMap(jobsIn).map(run));
    idle = await idleJobs(database, ids);
  }
  expect(idle, 'jobs that had nothing to do for a tenant').toEqual([]);
}

const ATTESTED = 'integration.secret.tributary.access';

/** Receipts that only jobs write, as often as they find something; {@link traces} and {@link agreesWithKeys} count them. */
export const jobReceipts: ReadonlySet<string> = new Set([
  ROTATED,
  ATTESTED,
  'integration.receipt.tributary.delete_bodies',
]);

/** What each job leaves behind of its own for a tenant (t.id), when it had something to do there. */
const traces: Readonly<Record<string, string>> = {
  poll: `from deliveries d join signals s on s.delivery_id = d.id and s.tenant_id = d.tenant_id
    where d.tenant_id = t.id and d.via = 'POLLING'`,
  enroll: `from pollings where tenant_id = t.id and connector_version <> ''`,
  'retry-action': `from actions a join receipts r on r.action_id = a.id and r.tenant_id = a.tenant_id
    where a.tenant_id = t.id and a.attempts > 1 and a.status = 'SUCCEEDED'`,
  'refresh-credential': `from receipts r join secret_accesses a on a.connection_id = r.connection_id
    where r.tenant_id = t.id and r.operation = 'integration.connection.example.refresh'
      and a.tenant_id = r.tenant_id and a.purpose = 'refresh' and a.actor = 'system'`,
  redeliver: `from webhook_registrations where tenant_id = t.id and redelivery_cursor is not null`,
  'renew-webhooks': `from receipts where tenant_id = t.id and actor = 'system' and outcome = 'SUCCESS'
      and operation = 'integration.connection.jira.renew_webhook'`,
  health: `from health_changes where tenant_id = t.id`,
  probe: `from secret_accesses where tenant_id = t.id and purpose = 'probe' and actor = 'system'`,
  'incident-delivery': `from incident_deliveries
    where tenant_id = t.id and settled_at is not null and last_problem is null and attempts > 1`,
  'rotate-keys': `from receipts where tenant_id = t.id and actor = 'system' and operation = '${ROTATED}'`,
  // Keys are destroyed once nothing is sealed under them any more.
  'rewrap-keys': `from generate_series(1, (select min(version) - 1 from data_keys where tenant_id = t.id))`,
  checkpoint: `from receipt_checkpoints where tenant_id = t.id`,
  'attest-accesses': `from receipts r join secret_accesses a on a.receipt_id = r.id and a.tenant_id = r.tenant_id
    where r.tenant_id = t.id and r.operation = '${ATTESTED}'`,
  'delete-receipt-bodies': `from receipts where tenant_id = t.id and body_deleted_at is not null and request is null`,
  witness: `from receipt_anchors where tenant_id = t.id and witness = 'TENANT' and taken_size is not null`,
  // Kept for ever here: who follows from the start would be told that it is gone. test/signal-retention.test.ts has
  // tenants of several plans beside each other.
  'purge-signals': `from signals where tenant_id = t.id`,
  purge: `from deliveries where tenant_id = t.id and purged_at is not null and body is null`,
};

/** Which jobs have done nothing yet, and for whom. */
async function idleJobs(database: TestDatabase, tenants: readonly string[]): Promise<string[]> {
  const selects = Object.entries(traces).map(
    ([job, trace]) => `select '${job} for ' || t.id as idle from unnest($1::text[]) as t(id)
      where not exists (select ${trace})`,
  );
  const rows = await database.query<{ idle: string }>(selects.join(' union all '), [tenants]);
  return rows.map(({ idle }) => idle);
}

/** What jobs did for a tenant is whole, and what its sink was sent is its own. */
export async function expectWorked(
  database: TestDatabase,
  tenant: Tenant,
  example: MarkedExample,
): Promise<void> {
  expect(await database.query(UNDONE, [tenant.id])).toEqual([]);
  expect(await database.query(BROKEN_EDGES, [tenant.id])).toEqual([]);
  await expectSunkOwn(database, tenant, example);
  expectShownOwn(tenant, example);
}

/**
 * What should have been tried again and was not; whose body should have gone and did not, or should not and did; and
 * uses of secrets that no receipt of the tenant's own attests to.
 */
const UNDONE = `
  select id, status from actions where tenant_id = $1 and status in ('RUNNING', 'RETRYING')
  union all
  select id, 'BODY' from deliveries
    where tenant_id = $1 and (body is null) <> (received_at < now() - interval '30 days')
  union all
  select id, 'ACCESS' from secret_accesses a where tenant_id = $1 and receipt_id is not null and not exists (
    select from receipts r where r.id = a.receipt_id and r.tenant_id = $1 and r.operation = '${ATTESTED}')
  union all
  select id, 'RECEIPT' from receipts r join receipt_leaves l on l.receipt_id = r.id join receipt_logs g on g.tenant_id = $1
    where r.tenant_id = $1 and r.operation <> 'integration.receipt.tributary.delete_bodies'
      and (l.tenant_id <> $1 or (r.body_deleted_at is null) <> (l.leaf_index >= g.bodies_deleted))`;

/** Each edge of a connection's health begins where the one before ended: none is missing. */
const BROKEN_EDGES = `
  select * from (
    select connection_id, previous_status, coalesce(lag(status) over (partition by connection_id order by sequence),
                                                    'UNKNOWN') as before
    from health_changes where tenant_id = $1) as edges
  where previous_status <> before`;

/** Checkpoints of the tenant's own log, and of no other. */
function expectShownOwn({ id, mark }: Tenant, example: MarkedExample): void {
  const origins = example.shown(mark).map(({ body }) => (body as { data: { origin: string } }).data.origin);
  const own = `/receipts/${encodeURIComponent(id)}`;
  expect(origins.length).toBeGreaterThan(0);
  expect(origins.filter((origin) => !origin.endsWith(own))).toEqual([]);
}

/** Signed by the tenant's own secret, of its own connections, each as often as the table has it. */
async function expectSunkOwn(database: TestDatabase, tenant: Tenant, example: MarkedExample): Promise<void> {
  const { id, mark, lives, connections, work } = tenant;
  const own = new Set([...lives, ...connections].map(({ connectionId }) => connectionId));
  const sunk = example.sunk(mark);
  for (const { headers, text, body } of sunk) {
    const key = Buffer.from(work.sinkSecret.replace(/^whsec_/, ''), 'base64');
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`;
    const signature = createHmac('sha256', key).update(signed).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${signature}`);
    expect(own).toContain((body as { data: { connection_id: string } }).data.connection_id);
  }
  const told = `select id, attempts from incident_deliveries where tenant_id = $1 and attempts > 0`;
  const attempts = await database.query<{ id: string; attempts: number }>(told, [id]);
  const seen = Map.groupBy(sunk, ({ headers }) => headers['webhook-id']);
  expect(Object.fromEntries([...seen].map(([key, all]) => [key, all.length]))).toEqual(
    Object.fromEntries(attempts.map((row) => [row.id, row.attempts])),
  );
}

const times = (length: number): undefined[] => Array.from({ length });

/** Writes down what the jobs have to have left in the tables, by what the provider gave them. */
export async function noteWork(tenant: Tenant, example: MarkedExample): Promise<void> {
  const { mark, work, changed, signals } = tenant;
  const { connectionId } = work;
  changed.push(...times(example.refreshed(mark)).map(() => `refresh ${connectionId}`));
  changed.push(...times(example.renewed(mark)).map(() => `renew_webhook ${work.hookedId}`));
  work.polled.push(
    ...times(example.handedOut(mark)).map((_, index) => `${connectionId} poll:evt_${index + 1}`),
  );
  const filter = { connectionIds: [connectionId] };
  const page = (await get(tenant, SignalsDocument, { filter, first: 200 }))['signals'] as {
    nodes: readonly { id: string; payload: { title: string } }[];
  };
  expect(page.nodes.map(({ payload }) => payload.title)).toEqual(
    times(example.handedOut(mark)).map(() => `about ${mark}`),
  );
  for (const { id } of page.nodes) signals.add(id);
}
