import { expect, it, onTestFinished } from 'vitest';
import { hang } from '../../test/support/fake-behavior.js';
import { type FakeProvider, startFakeProvider } from '../../test/support/fake-provider.js';
import { createHttpClient } from './client.js';
import { createEgressPolicy } from './egress.js';
import { type Fetch, toFetch } from './fetch.js';

async function start(deadlineMs = 5_000): Promise<{ fake: FakeProvider; send: Fetch }> {
  const fake = await startFakeProvider();
  const client = createHttpClient({ egress: createEgressPolicy(['127.0.0.0/8']) });
  onTestFinished(async () => {
    await client.close();
    await fake.close();
  });
  return { fake, send: toFetch(client, deadlineMs) };
}

it('sends a form as a form, and answers with a Response', async () => {
  const { fake, send } = await start();
  fake.on('POST /token', () => ({ status: 400, headers: { 'x-word': 'Grüße' }, body: { error: 'no' } }));
  const response = await send(`${fake.url}/token?a=1`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' },
    body: new URLSearchParams({ code: 'a b&c', scope: 'ü' }),
  });
  expect(response.status).toBe(400);
  expect(await response.json()).toEqual({ error: 'no' });
  expect(fake.requests).toMatchObject([
    {
      method: 'POST',
      query: { a: '1' },
      headers: { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' },
      text: 'code=a+b%26c&scope=%C3%BC',
    },
  ]);
});

it('takes an answer without a body', async () => {
  const { fake, send } = await start();
  fake.on('DELETE /token', () => ({ status: 204 }));
  const response = await send(`${fake.url}/token`, { method: 'DELETE', headers: {} });
  expect([response.status, await response.text()]).toEqual([204, '']);
});

it('fails as the client does', async () => {
  const { fake, send } = await start(100);
  fake.next('POST /token', hang());
  const sent = send(`${fake.url}/token`, { method: 'POST', headers: {} });
  await expect(sent).rejects.toMatchObject({ kind: 'timeout', isSent: true });
});

it('takes a status that HTTP lacks for no answer', async () => {
  const { fake, send } = await start();
  fake.on('POST /token', () => ({ status: 799, body: {} }));
  const sent = send(`${fake.url}/token`, { method: 'POST', headers: {} });
  await expect(sent).rejects.toMatchObject({ kind: 'invalid', isSent: true });
});
