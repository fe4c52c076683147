import { randomUUID } from 'node:crypto';
import { print } from 'graphql';
import { expect } from 'vitest';
import {
  ConnectDocument,
  DisconnectDocument,
  ResumeDocument,
  RotateDocument,
  SuspendDocument,
  UpdateConnectionDocument,
  VerifyDocument,
} from '../../schema/generated/operations.js';
import type { TestDatabase } from './database.js';
import { type Life, type Tenant, ask, essence, speakingTo } from './tenancy.js';
import type { Ids } from './tenancy-asks.js';

// What a tenant does with a connection over its life, what it does and what it does over REST.

/** The receipt of a new encryption key, which is of no connection: {@link agreesWithKeys} counts them. */
export const ROTATED = 'integration.tenant.tributary.rotate_encryption_key';

type Act = (tenant: Tenant, life: Life) => Promise<string | null>;

const mutate =
  (verb: string | null, document: Parameters<typeof print>[0], input: (life: Life) => object): Act =>
  async (tenant, life) => {
    const { code, told } = await ask(tenant, print(document), input(life));
    expect(code === 'CONFLICT' && verb === null ? undefined : code, told.text).toBeUndefined();
    return verb;
  };

const byId = ({ connectionId }: Life): object => ({ connectionId });
const rotate = (what: string, credential?: object) => (life: Life) => ({
  input: { ...byId(life), what, ...(credential && { credential }) },
});

/** In this order each is possible. Null: not a change of the connection. */
const acts: readonly Act[] = [
  mutate('verify', VerifyDocument, byId),
  mutate('rotate', RotateDocument, rotate('WEBHOOK_SECRET')),
  mutate(null, RotateDocument, rotate('ENCRYPTION_KEY')),
  mutate('rotate', RotateDocument, rotate('WEBHOOK_TOKEN')),
  mutate('suspend', SuspendDocument, byId),
  mutate('resume', ResumeDocument, byId),
  async (tenant, life) => {
    life.name = `${tenant.mark} ${randomUUID()}`;
    await mutate(null, UpdateConnectionDocument, ({ connectionId, name }) => ({
      input: { connectionId, name },
    }))(tenant, life);
    return 'update';
  },
  async (tenant, { connectionId }) => {
    const body = { tags: [tenant.mark, 'shared'] };
    expect((await rest(tenant, 'PATCH', `${CONNECTIONS}/${connectionId}`, body)).status).toBe(200);
    return 'update';
  },
  async (tenant, { connectionId }) => {
    expect((await rest(tenant, 'POST', `${CONNECTIONS}/${connectionId}/verify`)).status).toBe(200);
    return 'verify';
  },
];

/** From connect to disconnect, now at this process and now at that; every other time it is connected again. */
export async function live(tenant: Tenant, n: number): Promise<void> {
  const name = `${tenant.mark} life ${randomUUID()}`;
  const life = await begin(tenant, name, n);
  for (const [index, act] of acts.entries()) {
    const verb = await act(speakingTo(tenant, (n >> (index % 6)) + index), life);
    if (verb) tenant.changed.push(`${verb} ${life.connectionId}`);
  }
  if (n % 3 === 0) return;
  await mutate(null, DisconnectDocument, byId)(speakingTo(tenant, n), life);
  tenant.changed.push(`disconnect ${life.connectionId}`);
  life.isOver = true;
  if (n % 2) await begin(tenant, life.name, n + 1);
}

async function begin(tenant: Tenant, name: string, n: number): Promise<Life> {
  const token = `ghp_good_${tenant.mark}_${randomUUID()}`;
  const input = {
    name,
    description: `of ${tenant.mark}`,
    tags: [tenant.mark],
    credential: { token },
  };
  const life = { connectionId: await connect(tenant, input, n), name, isOver: false, providerId: 'github' };
  tenant.lives.push(life);
  return life;
}

async function connect(tenant: Tenant, input: object, n: number): Promise<string> {
  if (n % 2) {
    const body = { ...input, provider_id: 'github', auth_method: 'BEARER' };
    const { status, text } = await rest(tenant, 'POST', CONNECTIONS, body);
    expect(status, text).toBe(201);
    return (JSON.parse(text) as { connection: { id: string } }).connection.id;
  }
  const { data, told } = await ask(tenant, print(ConnectDocument), {
    input: { ...input, providerId: 'github', authMethod: 'BEARER' },
  });
  const made = data?.['connect'] as { connection: { id: string } } | undefined;
  expect(made, told.text).toBeDefined();
  return made!.connection.id;
}

const CONNECTIONS = '/v1/integrations/connections';
const healthOf = (id: string): string => `/internal/integrations/connections/${id}/health`;

/** Asks over REST and keeps what is answered. */
async function rest(tenant: Tenant, method: string, path: string, body?: object) {
  const response = await fetch(`${tenant.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${tenant.token}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = (await response.text()).replace(/"timestamp":"[^"]*"/, '"timestamp":""');
  const { status, headers } = response;
  const told = { asked: `${method} ${path}`, status, headers: Object.fromEntries(headers), text };
  tenant.told.push(told);
  return told;
}

/** The list and one's health: what is the tenant's own is there. */
export async function readByRest(tenant: Tenant): Promise<void> {
  const list = await rest(tenant, 'GET', `${CONNECTIONS}?first=200`);
  expect(list.text).toContain(tenant.mark);
  const { connectionId } = tenant.connections[0]!;
  expect((await rest(tenant, 'GET', healthOf(connectionId))).status).toBe(200);
}

/** Another tenant's id answers what one of nobody answers, to the byte. */
export async function askByRest(tenant: Tenant, foreign: Ids, nobody: Ids, n: number): Promise<void> {
  const asks: readonly ((ids: Ids) => ReturnType<typeof rest>)[] = [
    ({ connection }) => rest(tenant, 'PATCH', `${CONNECTIONS}/${connection}`, { name: 'stolen' }),
    ({ connection }) => rest(tenant, 'POST', `${CONNECTIONS}/${connection}/verify`),
    ({ connection }) => rest(tenant, 'GET', healthOf(connection)),
    ({ mark }) => rest(tenant, 'GET', `${CONNECTIONS}?tag=${mark}`),
  ];
  const asking = asks[n % asks.length]!;
  const [theirs, unknown] = [await asking(foreign), await asking(nobody)];
  expect(essence(theirs), theirs.asked).toEqual(essence(unknown));
  if (theirs.status === 200) expect(theirs.text).toContain('"connections":[]');
  else expect(theirs.status).toBe(404);
}

/** A receipt for every key but the first, and with the tenant that the key is of. */
export async function agreesWithKeys(database: TestDatabase, { id }: Tenant): Promise<void> {
  const [counted] = await database.query(
    `select (select max(version) - 1 from data_keys where tenant_id = $1)::int as made,
            (select count(*) from receipts where tenant_id = $1 and operation = $2)::int as attested`,
    [id, ROTATED],
  );
  expect(counted?.['attested']).toBe(counted?.['made']);
}
