import { describe, expect, it, onTestFinished } from 'vitest';
import { answer, drop } from '../../test/support/fake-behavior.js';
import { startFakeProvider } from '../../test/support/fake-provider.js';
import { Secret } from '../core/secret.js';
import { HttpError, createHttpClient } from '../outbound/client.js';
import { createEgressPolicy } from '../outbound/egress.js';
import { HashicorpVaultError, createHashicorpVault } from './hashicorp-vault.js';

async function start(namespace?: string) {
  const server = await startFakeProvider();
  server.on('GET /v1/secret/data/app', () => ({ status: 200, body: { data: { data: { password: 'x' } } } }));
  server.on('POST /v1/transit/encrypt/key', ({ body }) => ({ status: 200, body: { data: body } }));
  const client = createHttpClient({ egress: createEgressPolicy(['127.0.0.0/8']) });
  onTestFinished(async () => {
    await client.close();
    await server.close();
  });
  return {
    server,
    vault: createHashicorpVault({
      client,
      address: `${server.url}/`,
      token: new Secret('hvs.fake'),
      namespace,
    }),
  };
}

/** What a call ends in that must not succeed. */
function errorOf(calling: Promise<unknown>): Promise<unknown> {
  return calling.then(
    () => 'it succeeded',
    (error: unknown) => error,
  );
}

describe('a call to Vault', () => {
  it('brings the data', async () => {
    const { vault, server } = await start();
    expect(await vault.call('GET', 'secret/data/app')).toEqual({ data: { password: 'x' } });
    expect(await vault.call('POST', 'transit/encrypt/key', { plaintext: 'eA==' })).toEqual({
      plaintext: 'eA==',
    });
    const [read, write] = server.requests;
    expect(read?.headers).toMatchObject({ 'x-vault-token': 'hvs.fake', 'x-vault-request': 'true' });
    expect(read?.headers).not.toHaveProperty('x-vault-namespace');
    expect(write?.headers).toMatchObject({ 'content-type': 'application/json' });
  });

  it('names the namespace', async () => {
    const { vault, server } = await start('team/a');
    await vault.call('GET', 'secret/data/app');
    expect(server.requests[0]?.headers).toMatchObject({ 'x-vault-namespace': 'team/a' });
  });

  it('brings undefined when there is none', async () => {
    const { vault, server } = await start();
    server.next(() => true, answer({ status: 204 }), answer({ status: 200, body: 'null' }));
    expect(await vault.call('GET', 'secret/data/app')).toBeUndefined();
    expect(await vault.call('GET', 'secret/data/app')).toBeUndefined();
  });

  it.each([
    [
      { status: 403, body: { errors: ['permission denied', 'invalid token'] } },
      /403: permission denied; invalid token$/,
    ],
    [{ status: 404, body: { errors: [] } }, /answered 404$/],
    [{ status: 307, headers: { location: 'https://elsewhere.example/' }, body: '' }, /answered 307$/],
    [{ status: 502, body: '<html>Bad gateway</html>' }, /answered 502$/],
    [{ status: 500, body: { errors: 'not a list' } }, /answered 500$/],
  ])('tells what Vault has against it: %j', async (reply, message) => {
    const { vault, server } = await start();
    server.next(() => true, answer(reply));
    const error = await errorOf(vault.call('GET', 'secret/data/app'));
    expect(error).toBeInstanceOf(HashicorpVaultError);
    expect(error).toMatchObject({ status: reply.status, message: expect.stringMatching(message) as string });
    expect(server.requests).toHaveLength(1);
  });

  it('passes on that there was no answer', async () => {
    const { vault, server } = await start();
    server.next(() => true, drop());
    expect(await errorOf(vault.call('GET', 'secret/data/app'))).toBeInstanceOf(HttpError);
  });
});
