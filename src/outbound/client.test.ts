import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { drip, drop, flood, hang, loseAnswer, resetMidBody } from '../../test/support/fake-behavior.js';
import { type FakeProvider, startFakeProvider } from '../../test/support/fake-provider.js';
import { type HttpClient, createHttpClient } from './client.js';
import { createEgressPolicy } from './egress.js';

interface Setup {
  readonly fake: FakeProvider;
  readonly client: HttpClient;
  send(path?: string, deadlineMs?: number): ReturnType<HttpClient['send']>;
}

async function start(allow = ['127.0.0.0/8']): Promise<Setup> {
  const fake = await startFakeProvider();
  fake.on('POST /things', ({ body }) => {
    fake.addEffect('thing');
    return { status: 201, headers: { 'x-request-id': '1' }, body };
  });
  const client = createHttpClient({ egress: createEgressPolicy(allow), maxResponseBytes: 10_000 });
  onTestFinished(async () => {
    await client.close();
    await fake.close();
  });
  const send: Setup['send'] = (path = '/things', deadlineMs = 5_000) =>
    client.send({
      method: 'POST',
      url: new URL(fake.url + path),
      headers: { 'content-type': 'application/json', authorization: 'Bearer t' },
      body: '{"name":"Grüße"}',
      deadlineMs,
    });
  return { fake, client, send };
}

describe('an answer', () => {
  it('comes with status, headers and text, and the request arrives as it was sent', async () => {
    const { fake, send } = await start();
    const response = await send('/things?page=2');
    expect(response).toMatchObject({
      status: 201,
      text: '{"name":"Grüße"}',
      headers: { 'x-request-id': '1' },
    });
    expect(fake.requests).toMatchObject([
      { method: 'POST', path: '/things', query: { page: '2' }, headers: { authorization: 'Bearer t' } },
    ]);
  });

  it.each([302, 404, 429, 500])('of %i is an answer too', async (status) => {
    const { fake, send } = await start();
    fake.on('POST /other', () => ({ status, headers: { location: `${fake.url}/things` }, body: {} }));
    expect((await send('/other')).status).toBe(status);
    // Nothing is followed: a redirect could lead anywhere.
    expect(fake.requests).toHaveLength(1);
  });

  it('without a body is empty text', async () => {
    const { fake, send } = await start();
    fake.on('POST /none', () => ({ status: 204 }));
    expect(await send('/none')).toMatchObject({ status: 204, text: '' });
  });

  it('joins a header that comes several times', async () => {
    const { client } = await start();
    const server = createServer((_, response) => {
      response.setHeader('link', ['<a>; rel="next"', '<b>; rel="last"']).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const { headers } = await client.send({ method: 'GET', url, headers: {}, deadlineMs: 5_000 });
    expect(headers['link']).toBe('<a>; rel="next", <b>; rel="last"');
  });
});

/** What a request ends in that must not succeed. */
function errorOf(sending: Promise<unknown>): Promise<unknown> {
  return sending.then(
    () => 'it succeeded',
    (error: unknown) => error,
  );
}

describe('no usable answer', () => {
  it('refused: the policy forbids the address, nothing leaves', async () => {
    const { fake, send } = await start([]);
    expect(await errorOf(send())).toMatchObject({ kind: 'refused', isSent: false });
    expect(fake.requests).toEqual([]);
  });

  it('refused: the policy forbids what the name resolves to', async () => {
    const { fake, client } = await start([]);
    const url = new URL(fake.url.replace('127.0.0.1', 'localhost'));
    expect(await errorOf(client.send({ method: 'GET', url, headers: {}, deadlineMs: 5_000 }))).toMatchObject({
      kind: 'refused',
      isSent: false,
    });
  });

  it('unreachable: nobody listens', async () => {
    const { fake, send } = await start();
    await fake.close();
    expect(await errorOf(send())).toMatchObject({ kind: 'unreachable', isSent: false });
  });

  it('unreachable: the name does not exist', async () => {
    const { client } = await start();
    const url = new URL('http://nowhere.invalid/');
    const sending = client.send({ method: 'GET', url, headers: {}, deadlineMs: 5_000 });
    expect(await errorOf(sending)).toMatchObject({ kind: 'unreachable', isSent: false });
  });

  it.each([
    ['never answers', hang()],
    ['never ends', drip()],
  ])('timeout: the server %s', async (_, behavior) => {
    const { fake, send } = await start();
    fake.next('POST /things', behavior);
    expect(await errorOf(send('/things', 200))).toMatchObject({ kind: 'timeout', isSent: true });
  });

  it('too_large: more than is read', async () => {
    const { fake, send } = await start();
    fake.next('POST /things', flood(100_000));
    expect(await errorOf(send())).toMatchObject({ kind: 'too_large', isSent: true });
  });

  it('takes an answer of just the size that is read', async () => {
    const { fake, send } = await start();
    fake.next('POST /things', flood(10_000 - 2));
    expect((await send()).text).toHaveLength(10_000);
  });

  it.each([
    ['before anything was done', drop(), 0],
    ['after it was done', loseAnswer(), 1],
    ['in the middle of the answer', resetMidBody(), 1],
  ])('interrupted: the connection breaks %s', async (_, behavior, effects) => {
    const { fake, send } = await start();
    fake.next('POST /things', behavior);
    expect(await errorOf(send())).toMatchObject({ kind: 'interrupted', isSent: true });
    expect(fake.effects.get('thing') ?? 0).toBe(effects);
    // Nothing is sent again by itself: only the caller can know whether that is safe.
    expect(fake.requests).toHaveLength(1);
  });

  it('interrupted: the server stops while it works', async () => {
    const { fake, send } = await start();
    fake.next('POST /things', hang());
    const sending = errorOf(send());
    await fake.waitForRequest('POST /things');
    await fake.close();
    expect(await sending).toMatchObject({ kind: 'interrupted', isSent: true });
  });

  it('leaves the client usable', async () => {
    const { fake, send } = await start();
    fake.next('POST /things', drop());
    expect(await errorOf(send())).toMatchObject({ kind: 'interrupted', isSent: true });
    expect((await send()).status).toBe(201);
  });
});
