import { randomUUID } from 'node:crypto';
import { print } from 'graphql';
import { expect } from 'vitest';
import {
  ConnectDocument,
  RegisterWebhookAppDocument,
  RegisterWebhookDocument,
  SetIncidentSinkDocument,
  SetOAuthAppDocument,
  SetReceiptWitnessDocument,
  VerifyDocument,
} from '../../schema/generated/operations.js';
import { type Tenant, ask } from './tenancy.js';
import type { MarkedExample } from './tenancy-providers.js';

/** A connection by OAuth that is polled, probed and acted through, and one whose credential the provider refuses. */
export async function beginWork(tenant: Tenant, example: MarkedExample): Promise<void> {
  const { mark, work } = tenant;
  const app = { providerId: 'example', clientId: `client-${mark}`, clientSecret: `cs-${mark}` };
  await get(tenant, SetOAuthAppDocument, { input: app });
  const sink = await get(tenant, SetIncidentSinkDocument, { url: `${example.url}/sinks/${mark}` });
  work.sinkSecret = (sink['setIncidentSink'] as { secret: string }).secret;
  await get(tenant, SetReceiptWitnessDocument, { url: `${example.url}/witnesses/${mark}` });
  const made = await connect(tenant, { providerId: 'example', authMethod: 'OAUTH2' });
  work.connectionId = made.connection.id;
  await consent(made.authorizationUrl!, mark);
  tenant.changed.push(`authorize ${work.connectionId}`);
  const credential = { token: `ghp_refused_${mark}_${randomUUID()}` };
  const refused = await connect(tenant, { providerId: 'github', authMethod: 'BEARER', credential });
  await get(tenant, VerifyDocument, { connectionId: refused.connection.id });
  tenant.changed.push(`verify ${refused.connection.id}`);
  await beginWebhooks(tenant);
}

/** A webhook that its provider lets end, so that it is renewed; and one whose deliveries nobody else repeats. */
async function beginWebhooks(tenant: Tenant): Promise<void> {
  const { mark, work } = tenant;
  await get(tenant, RegisterWebhookAppDocument, { input: { providerId: 'jira', secret: `cs-${mark}` } });
  const credential = { email: `${mark}@example.com`, apiToken: `token-${mark}` };
  const atJira = { providerId: 'jira', authMethod: 'BASIC', credential };
  work.hookedId = await beginWebhook(tenant, atJira, { jql: `project = ${mark}` });
  const atGitHub = { providerId: 'github', authMethod: 'BEARER', credential: { token: `hooked_${mark}` } };
  await beginWebhook(tenant, atGitHub, { repository: `${mark}/demo` });
}

async function beginWebhook(tenant: Tenant, given: Given, target: object): Promise<string> {
  const { id: connectionId } = (await connect(tenant, { ...given, capabilities: ['WEBHOOK'] })).connection;
  await get(tenant, VerifyDocument, { connectionId });
  const { registerWebhook } = await get(tenant, RegisterWebhookDocument, { input: { connectionId, target } });
  expect(registerWebhook).toMatchObject({ failure: null });
  tenant.changed.push(`verify ${connectionId}`, `register_webhook ${connectionId}`);
  return connectionId;
}

/** What is answered to a document that has to go well. */
export async function get(tenant: Tenant, document: Parameters<typeof print>[0], variables: object) {
  const { data, code, told } = await ask(tenant, print(document), variables);
  expect(code, told.text).toBeUndefined();
  return data!;
}

interface Made {
  readonly connection: { readonly id: string };
  readonly authorizationUrl: string | null;
}

interface Given {
  readonly providerId: string;
  readonly authMethod: string;
  readonly credential?: object;
  readonly capabilities?: readonly string[];
}

async function connect(tenant: Tenant, more: Given): Promise<Made> {
  const { mark } = tenant;
  const name = `${mark} work ${randomUUID()}`;
  const input = { name, description: `of ${mark}`, tags: [mark], ...more };
  const made = (await get(tenant, ConnectDocument, { input }))['connect'] as Made;
  tenant.lives.push({ connectionId: made.connection.id, name, isOver: false, providerId: more.providerId });
  return made;
}

/** As a browser does, whose person has agreed at the provider. */
async function consent(link: string, mark: string): Promise<void> {
  const page = await fetch(link);
  const cookie = page.headers.get('set-cookie')?.split(';')[0] ?? '';
  const options = { headers: { cookie }, redirect: 'manual' } as const;
  const pressed = await fetch(link, { ...options, method: 'POST', body: new URLSearchParams() });
  const asked = new URL(pressed.headers.get('location') ?? '').searchParams;
  const callback = new URL(asked.get('redirect_uri') ?? '');
  callback.search = new URLSearchParams({ code: `code-${mark}`, state: asked.get('state') ?? '' }).toString();
  const done = await fetch(callback, options);
  expect(done.status, await done.text()).toBe(200);
}
