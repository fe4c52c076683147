import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startFakeProvider } from '../../test/support/fake-provider.js';
import { type HttpClient, createHttpClient } from './client.js';
import { EgressRefused, createEgressPolicy } from './egress.js';

type Resolve = NonNullable<Parameters<typeof createEgressPolicy>[1]>;

/** Answers each look-up with the next of these lists, the last one for ever. */
function scripted(...answers: readonly (readonly string[])[]) {
  const asked: string[] = [];
  const resolve = ((hostname: string, _: unknown, callback: (error: null, found: unknown) => void) => {
    const addresses = answers[Math.min(asked.push(hostname), answers.length) - 1] ?? [];
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    process.nextTick(callback, null, found);
  }) as unknown as Resolve;
  return { asked, resolve };
}

/** What the policy lets through of a name's addresses; the error where it lets nothing through. */
function lookUp(addresses: readonly string[], allow: readonly string[] = []): Promise<unknown> {
  const { resolve } = scripted(addresses);
  const { promise, resolve: settle } = Promise.withResolvers<unknown>();
  createEgressPolicy(allow, resolve).lookup('name.test', { all: true }, (error, found) =>
    settle(error ?? found),
  );
  return promise;
}

const INSIDE = [
  ['loopback', '127.0.0.1'],
  ['all of loopback', '127.255.255.254'],
  ['this host', '0.0.0.0'],
  ['private 10', '10.0.0.1'],
  ['private 172.16', '172.31.255.255'],
  ['private 192.168', '192.168.1.1'],
  ['carrier-grade NAT', '100.64.0.1'],
  ['link-local', '169.254.0.1'],
  ['cloud metadata', '169.254.169.254'],
  ['multicast', '224.0.0.1'],
  ['broadcast', '255.255.255.255'],
  ['reserved', '240.0.0.1'],
  ['benchmarks', '198.18.0.1'],
  ['documentation', '203.0.113.1'],
  ['loopback v6', '::1'],
  ['unspecified v6', '::'],
  ['unique local', 'fd00:ec2::254'],
  ['link-local v6', 'fe80::1'],
  ['site-local', 'fec0::1'],
  ['multicast v6', 'ff02::1'],
  ['mapped loopback', '::ffff:127.0.0.1'],
  ['mapped metadata in hex', '::ffff:a9fe:a9fe'],
  ['translated by NAT64', '64:ff9b::7f00:1'],
  ['translated by local NAT64', '64:ff9b:1::7f00:1'],
  ['tunnelled by 6to4', '2002:7f00:1::'],
  ['tunnelled by Teredo', '2001::1'],
] as const;

describe.each(INSIDE)('%s, %s', (_, address) => {
  const literal = address.includes(':') ? `[${address}]` : address;

  it('is refused as a literal', () => {
    expect(() => createEgressPolicy([]).checkUrl(new URL(`http://${literal}/`))).toThrow(EgressRefused);
  });

  it('is refused as what a name resolves to', async () => {
    expect(await lookUp([address])).toBeInstanceOf(EgressRefused);
  });
});

const check = (url: string, allow: string[] = []) => createEgressPolicy(allow).checkUrl(new URL(url));

describe('checkUrl', () => {
  it.each([
    'http://2130706433/',
    'http://0x7f.1/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'http://①②⑦.0.0.1/',
  ])('sees through %s', (url) => {
    expect(() => check(url)).toThrow('127.0.0.1 is not a public address');
  });

  it.each(['https://1.1.1.1/', 'https://[2606:4700::1111]/', 'https://api.github.com/', 'http://localhost/'])(
    'lets %s pass: public, or a name that is judged when it is resolved',
    (url) => {
      expect(() => check(url)).not.toThrow();
    },
  );

  it.each(['ftp://example.com/', 'file:///etc/passwd', 'data:text/plain,x'])('refuses %s', (url) => {
    expect(() => check(url)).toThrow(EgressRefused);
  });

  it('allows a range that was named, and nothing beside it', () => {
    expect(() => check('http://10.1.2.3/', ['10.1.0.0/16'])).not.toThrow();
    expect(() => check('http://[::ffff:10.1.2.3]/', ['10.1.0.0/16'])).not.toThrow();
    expect(() => check('http://10.2.2.3/', ['10.1.0.0/16'])).toThrow(EgressRefused);
    expect(() => check('http://[fd00::1]/', ['10.1.0.0/16', 'fd00::/8'])).not.toThrow();
  });

  it('tells the operator what to do', () => {
    expect(() => check('http://10.1.2.3/')).toThrow(/EGRESS_ALLOW/);
  });
});

it.each(['10.0.0.0', '10.0.0.0/33', 'localhost', ''])('refuses to start with the range "%s"', (range) => {
  expect(() => createEgressPolicy([range])).toThrow(/^EGRESS_ALLOW: /);
});

describe('lookup', () => {
  it('leaves only the public ones of a name’s addresses', async () => {
    expect(await lookUp(['10.0.0.1', '1.1.1.1', '::1'])).toEqual([{ address: '1.1.1.1', family: 4 }]);
  });

  it('refuses a name without addresses', async () => {
    expect(await lookUp([])).toBeInstanceOf(EgressRefused);
  });

  it('answers one address to a caller that wants one', async () => {
    const { promise, resolve: settle } = Promise.withResolvers<unknown[]>();
    const { resolve } = scripted(['10.0.0.1', '1.1.1.1']);
    createEgressPolicy([], resolve).lookup('name.test', {}, (...answer) => settle(answer));
    expect(await promise).toEqual([null, '1.1.1.1', 4]);
  });
});

function clientWith(resolve: Resolve): HttpClient {
  const client = createHttpClient({ egress: createEgressPolicy(['127.0.0.1/32'], resolve) });
  onTestFinished(() => client.close());
  return client;
}

/** Two servers on one port; only 127.0.0.1 is allowed. */
async function startBoth() {
  const allowed = await startFakeProvider();
  allowed.on('GET /', () => ({ status: 200, body: 'allowed', headers: { connection: 'close' } }));
  const { port } = new URL(allowed.url);
  let forbidden = 0;
  const trap = createServer((socket) => void (forbidden++, socket.destroy())).listen(
    Number(port),
    '127.0.0.2',
  );
  await once(trap, 'listening');
  onTestFinished(async () => {
    trap.close();
    await allowed.close();
  });
  return { url: new URL(`http://rebind.test:${port}/`), forbiddenCalls: () => forbidden };
}

describe('a name that changes its mind', () => {
  const request = { method: 'GET', headers: {}, deadlineMs: 2_000 };

  it('is resolved once: the socket goes to the address that was checked', async () => {
    const { url, forbiddenCalls } = await startBoth();
    const { asked, resolve } = scripted(['127.0.0.1'], ['127.0.0.2']);
    const client = clientWith(resolve);
    expect(await client.send({ ...request, url })).toMatchObject({ text: 'allowed' });
    expect(asked).toEqual(['rebind.test']);
    // The next connection asks again, and is told the other address.
    await expect(client.send({ ...request, url })).rejects.toMatchObject({ kind: 'refused', isSent: false });
    expect(asked).toHaveLength(2);
    expect(forbiddenCalls()).toBe(0);
  });

  it('is called at its allowed address only', async () => {
    const { url, forbiddenCalls } = await startBoth();
    const client = clientWith(scripted(['127.0.0.2', '127.0.0.1']).resolve);
    expect(await client.send({ ...request, url })).toMatchObject({ text: 'allowed' });
    expect(forbiddenCalls()).toBe(0);
  });
});
