import { randomUUID } from 'node:crypto';
import { sign } from '@octokit/webhooks-methods';
import { ConnectDocument } from '../../schema/generated/operations.js';
import type { TestCaller } from './app.js';

/** A connection's webhook as GitHub would have it configured. */
export interface Hook {
  readonly connectionId: string;
  readonly url: string;
  readonly secret: string;
}

export async function connectGitHub(
  caller: TestCaller,
  name = `github ${randomUUID()}`,
  token = 'ghp_not_checked',
): Promise<Hook> {
  const { connect } = await caller.get(ConnectDocument, {
    input: { providerId: 'github', name, authMethod: 'BEARER', credential: { token } },
  });
  const { url, secret } = connect.webhook ?? {};
  if (!url || !secret) throw new Error('connect answered no webhook');
  return { connectionId: connect.connection.id, url, secret };
}

export interface Delivery {
  readonly body: Buffer;
  readonly headers: Record<string, string>;
}

/** Signed by GitHub's own library, not by ours. */
export async function githubDelivery(
  event: string,
  payload: unknown,
  secret: string,
  deliveryId: string = randomUUID(),
): Promise<Delivery> {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  return {
    body: Buffer.from(text),
    headers: {
      'content-type': 'application/json',
      'x-github-event': event,
      'x-github-delivery': deliveryId,
      'x-hub-signature-256': await sign(secret, text),
      'user-agent': 'GitHub-Hookshot/044aadd',
    },
  };
}

export interface WebhookAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    readonly delivery_id?: string;
    readonly signals?: readonly string[];
    readonly error?: {
      readonly code: string;
      readonly message: string;
      readonly details: object;
      readonly timestamp: string;
    };
  };
}

export async function post(url: string, { body, headers }: Delivery): Promise<WebhookAnswer> {
  const response = await fetch(url, { method: 'POST', body: new Uint8Array(body), headers });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    // Some providers want nothing as an answer.
    body: JSON.parse(text || '{}') as WebhookAnswer['body'],
  };
}
