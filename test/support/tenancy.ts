import { randomBytes, randomUUID } from 'node:crypto';
import { type GraphQLField, getNamedType, isLeafType, isObjectType, print } from 'graphql';
import type { Client } from 'graphql-ws';
import { expect } from 'vitest';
import { ConnectDocument, ExecuteActionDocument, VerifyDocument } from '../../schema/generated/operations.js';
import { type TestApp, createCaller } from './app.js';
import { type Delivery, type Hook, type WebhookAnswer, githubDelivery, post } from './github.js';

/** An answer as it came over the wire. */
export interface Told {
  readonly asked: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

export interface OwnAction {
  readonly id: string;
  readonly key: string;
  readonly connectionId: string;
  readonly correlationId: string;
  readonly providerId: string;
}

/** A subscription and what came of it. */
export interface Watch {
  readonly feed: string;
  /** By their cursors. */
  readonly seen: string[];
  /** Errors that came instead, and the end of a stream that broke off. */
  readonly problems: string[];
  /** What it may be sent: everything of its own tenant, some of that, or nothing at all. */
  readonly wants: 'all' | 'own' | 'nothing';
  readonly end: () => Promise<void>;
}

/** A connection that is changed in every way there is. */
export interface Life {
  readonly connectionId: string;
  name: string;
  isOver: boolean;
  readonly providerId: string;
}

/** What jobs work on, and what they have to have brought. */
export interface Work {
  /** With the example provider, by OAuth; the tenant's only one there. */
  connectionId: string;
  /** With Jira, which lets its webhook end; the tenant's only one there. */
  hookedId: string;
  sinkSecret: string;
  /** `<connection> <event>` of what polls found. */
  readonly polled: string[];
}

/** A tenant, all that it did, and all that it was told. Everything that it makes carries its mark. */
export interface Tenant {
  readonly id: string;
  readonly mark: string;
  /** The process that it speaks to now; see {@link speakingTo}. */
  readonly url: string;
  readonly token: string;
  readonly socket: Client;
  /** All processes, by number. */
  readonly processes: readonly { readonly url: string; readonly socket: Client }[];
  readonly told: Told[];
  readonly connections: (Hook & { readonly name: string })[];
  /** Connections that go through a whole life, each by itself; no other command touches them. */
  readonly lives: Life[];
  readonly work: Work;
  /** `<verb> <connection>` of every change that was answered, beside `connect`. */
  readonly changed: string[];
  readonly actions: Map<string, OwnAction>;
  /** `<connection> <event>` of what was accepted, and the delivery itself for whoever records the line. */
  readonly deliveries: Map<string, Delivery>;
  readonly signals: Set<string>;
  readonly receipts: Set<string>;
  readonly watches: Watch[];
  /** Names and keys that were refused because they were used: by itself, as it has to turn out. */
  readonly refused: Set<string>;
}

export async function createTenant(apps: readonly TestApp[]): Promise<Tenant> {
  const mark = `mk${randomBytes(8).toString('hex')}`;
  const id = `tenant-${mark}`;
  const { token } = await apps[0]!.caller(id);
  const processes = apps.map(({ url }) => ({ url, socket: createCaller(url, token).socket() }));
  return {
    id,
    mark,
    ...processes[0]!,
    token,
    processes,
    told: [],
    connections: [],
    lives: [],
    work: { connectionId: '', hookedId: '', sinkSecret: '', polled: [] },
    changed: [],
    actions: new Map(),
    deliveries: new Map(),
    signals: new Set(),
    receipts: new Set(),
    watches: [],
    refused: new Set(),
  };
}

/** The same tenant, as it speaks to another process. */
export const speakingTo = (tenant: Tenant, process: number): Tenant => ({
  ...tenant,
  ...tenant.processes[process % tenant.processes.length]!,
});

export interface Reply {
  readonly told: Told;
  readonly data: Record<string, unknown> | null | undefined;
  readonly code: string | undefined;
}

/** Asks over HTTP and keeps all that is answered, headers too. */
export async function ask(tenant: Tenant, query: string, variables: object = {}): Promise<Reply> {
  const response = await fetch(`${tenant.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${tenant.token}`,
      'x-correlation-id': `${tenant.mark}-${randomUUID()}`,
    },
    body: JSON.stringify({ query, variables }),
  });
  const headers = Object.fromEntries(response.headers);
  const asked = `${query.slice(0, 100)} ${JSON.stringify(variables)}`;
  const told = { asked, status: response.status, headers, text: await response.text() };
  tenant.told.push(told);
  const { data, errors } = JSON.parse(told.text) as {
    data?: Record<string, unknown> | null;
    errors?: readonly { readonly extensions: { readonly code: string } }[];
  };
  return { told, data, code: errors?.[0]?.extensions.code };
}

/** Sends a webhook and keeps the answer. */
export async function send(tenant: Tenant, url: string, delivery: Delivery): Promise<WebhookAnswer> {
  const { status, headers, body } = await post(url.replace(/^http:\/\/[^/]+/, tenant.url), delivery);
  const kept = { ...body, ...(body.error && { error: { ...body.error, timestamp: '' } }) };
  const asked = `webhook ${JSON.stringify(delivery.headers)}`;
  tenant.told.push({ asked, status, headers: Object.fromEntries(headers), text: JSON.stringify(kept) });
  return { status, headers, body: kept };
}

/** Subscribes over the tenant's socket and keeps all that comes. */
export function watch(
  tenant: Tenant,
  { name: feed, args, type }: GraphQLField<unknown, unknown>,
  variables: Record<string, unknown>,
  wants: Watch['wants'] = 'own',
): void {
  const declared = args.map((arg) => `$${arg.name}: ${String(arg.type)}`).join(', ');
  const given = args.map((arg) => `${arg.name}: $${arg.name}`).join(', ');
  const selection = everything(type, wants === 'all' ? 2 : 1);
  const query = `subscription (${declared}) { ${feed}(${given}) ${selection} }`;
  const stream = tenant.socket.iterate<Record<string, { cursor: string }>>({ query, variables });
  const seen: string[] = [];
  const problems: string[] = [];
  const read = async (): Promise<void> => {
    for await (const result of stream) {
      const text = JSON.stringify(result);
      const asked = `${feed} ${JSON.stringify(variables)}`;
      tenant.told.push({ asked, status: 200, headers: {}, text });
      const told = result.errors ? undefined : result.data?.[feed];
      if (told) seen.push(told.cursor);
      else problems.push(text);
    }
  };
  const reading = read().catch((error: unknown) => void problems.push(String(error)));
  const end = async (): Promise<void> => {
    await stream.return?.();
    await reading;
  };
  tenant.watches.push({ feed, seen, problems, wants, end });
}

/** Everything about an answer but when it was given and which request it belongs to. */
export function essence({ status, headers, text }: Told): object {
  const { date: _date, 'x-correlation-id': _id, ...rest } = headers;
  return { status, headers: rest, text };
}

/** A place in a list, as the API has it. */
export const cursor = (list: string, position: string): string =>
  Buffer.from(`${list}:${position}`).toString('base64url');

export const FROM_START = cursor('signals', '0');

/** The one of that number, counted round; there is always one. */
export const pick = <T>(list: Iterable<T>, n: number): T | undefined => {
  const all = [...list];
  return all[n % all.length];
};

// What a tenant does with what is its own. Each checks the answer and writes down what has to be in the tables then.

/** Names are the same for all tenants every other time; the credential is refused every fifth time. */
export async function connect(tenant: Tenant, n: number): Promise<void> {
  const name = n % 2 ? `name ${n % 6}` : `${tenant.mark} ${n % 6}`;
  const token = `ghp_${n % 5 === 4 ? 'refused' : 'good'}_${tenant.mark}_${randomUUID()}`;
  const input = {
    providerId: 'github',
    name,
    description: `of ${tenant.mark}`,
    tags: [tenant.mark, 'shared'],
    authMethod: 'BEARER',
    credential: { token },
  };
  const { data, code } = await ask(tenant, print(ConnectDocument), { input });
  if (code) {
    expect(code).toBe('NAME_TAKEN');
    return void tenant.refused.add(name);
  }
  const made = data?.['connect'] as { connection: { id: string }; webhook: { url: string; secret: string } };
  tenant.connections.push({ connectionId: made.connection.id, name, ...made.webhook });
}

export async function verify(tenant: Tenant, n: number): Promise<void> {
  const connectionId = pick(tenant.connections, n)?.connectionId ?? '';
  const { data, code } = await ask(tenant, print(VerifyDocument), { connectionId });
  expect(code).toBeUndefined();
  expect(data).toMatchObject({ verify: { id: connectionId } });
  tenant.changed.push(`verify ${connectionId}`);
}

/** Keys are the same for all tenants every other time; every third comments where there is nothing. */
export async function execute(tenant: Tenant, n: number): Promise<void> {
  const key = n % 2 ? `key ${n % 8}` : `${tenant.mark} ${n % 8}`;
  const connectionId = pick(tenant.connections, n)?.connectionId ?? '';
  const correlationId = `${tenant.mark}-did-${n % 8}`;
  const issue = n % 3 === 0 ? '404' : '1';
  const action = { addIssueComment: { project: `${tenant.mark}/demo`, issue, body: `by ${tenant.mark}` } };
  const input = { connectionId, idempotencyKey: key, correlationId, action };
  const { data, code, told } = await ask(tenant, print(ExecuteActionDocument), { input });
  if (code) {
    expect(['CONNECTION_NOT_READY', 'IDEMPOTENCY_CONFLICT'], told.text).toContain(code);
    return void (code === 'IDEMPOTENCY_CONFLICT' && tenant.refused.add(key));
  }
  const done = data?.['executeAction'] as { id: string; status: string };
  expect(done.status).toBe(issue === '404' ? 'FAILED' : 'SUCCEEDED');
  const known = tenant.actions.get(key);
  tenant.actions.set(key, known ?? { id: done.id, key, connectionId, correlationId, providerId: 'github' });
  expect(done.id).toBe(tenant.actions.get(key)?.id);
}

/** Delivery ids, and the issues in them, are the same for all tenants. */
export async function deliver(tenant: Tenant, n: number): Promise<void> {
  const { connectionId, url, secret } = pick(tenant.connections, n)!;
  const event = `delivery ${n}`;
  const delivery = await githubDelivery('issues', issueOpened(tenant.mark, n), secret, event);
  const { status, body } = await send(tenant, url, delivery);
  expect([200, 202], JSON.stringify(body)).toContain(status);
  expect(body.signals).toHaveLength(1);
  tenant.deliveries.set(`${connectionId} ${event}`, delivery);
  tenant.signals.add(body.signals?.[0] ?? '');
}

export function issueOpened(mark: string, n: number): object {
  const issue = { id: n, number: n, title: `about ${mark}`, created_at: '2026-11-01T10:00:00Z' };
  return { action: 'opened', issue, repository: { full_name: 'octo/demo' }, sender: { id: 1, login: mark } };
}

/** Every field that a type has, so many levels deep: none is forgotten when the schema grows. */
export function everything(type: GraphQLField<unknown, unknown>['type'], depth: number): string {
  const named = getNamedType(type);
  if (!isObjectType(named)) return '';
  const fields = Object.values(named.getFields()).flatMap((field) => {
    if (isLeafType(getNamedType(field.type))) return field.name;
    // Small pages: a document may ask for pages inside pages only as far as the answer stays small.
    const page = field.args.some(({ name }) => name === 'first') ? '(first: 5)' : '';
    return depth > 0 ? `${field.name}${page} ${everything(field.type, depth - 1)}` : [];
  });
  return `{ __typename ${fields.join(' ')} }`;
}
