import { randomUUID } from 'node:crypto';
import examples from '@octokit/webhooks-examples' with { type: 'json' };
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestApp, startTestApp } from './support/app.js';
import { type Delivery, type Hook, connectGitHub, githubDelivery, post } from './support/github.js';

const pullRequest = {
  action: 'opened',
  number: 7,
  pull_request: {
    id: 7001,
    number: 7,
    title: 'Add a pump',
    created_at: '2026-11-01T10:00:00Z',
    head: { ref: 'pump' },
  },
  repository: { full_name: 'acme/waterworks' },
  sender: { id: 1, login: 'ada' },
};

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ env: { WEBHOOK_MAX_BYTES: String(1024 * 1024) } });
});
afterAll(() => app.close());

async function hook(): Promise<Hook> {
  return connectGitHub(await app.caller(`tenant-${randomUUID()}`));
}

async function countRows(connectionId: string): Promise<{ deliveries: number; signals: number }> {
  const [row] = await app.database.query<{ deliveries: number; signals: number }>(
    `select (select count(*)::int from deliveries where connection_id = $1) as deliveries,
            (select count(*)::int from signals where connection_id = $1) as signals`,
    [connectionId],
  );
  return row ?? { deliveries: -1, signals: -1 };
}

function altered({ body, headers }: Delivery): Delivery {
  const copy = Buffer.from(body);
  copy[copy.length >> 1] = (copy[copy.length >> 1] ?? 0) ^ 1;
  return { body: copy, headers };
}

describe('a webhook', () => {
  it('is committed, then acknowledged with the ids of its signals', async () => {
    const { url, secret, connectionId } = await hook();
    const answer = await post(url, await githubDelivery('pull_request', pullRequest, secret));
    expect(answer.status).toBe(202);
    const rows = await app.database.query(
      'select id, type, repository, occurred_at from signals where connection_id = $1',
      [connectionId],
    );
    expect(rows).toEqual([
      {
        id: answer.body.signals?.[0],
        type: 'pr_opened',
        repository: 'acme/waterworks',
        occurred_at: new Date('2026-11-01T10:00:00Z'),
      },
    ]);
    expect(
      await app.database.query('select id from deliveries where connection_id = $1', [connectionId]),
    ).toEqual([{ id: answer.body.delivery_id }]);
  });

  it('delivered twice gives one signal, and 200 with the first answer', async () => {
    const { url, secret, connectionId } = await hook();
    const delivery = await githubDelivery('pull_request', pullRequest, secret);
    const first = await post(url, delivery);
    const second = await post(url, delivery);
    expect([first.status, second.status]).toEqual([202, 200]);
    expect(second.body).toEqual(first.body);
    expect(await countRows(connectionId)).toEqual({ deliveries: 1, signals: 1 });
  });

  it('delivered many times at once gives one signal', async () => {
    const { url, secret, connectionId } = await hook();
    const delivery = await githubDelivery('pull_request', pullRequest, secret);
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(url, delivery)));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(19);
    expect(new Set(answers.map(({ body }) => body.signals?.[0])).size).toBe(1);
    expect(await countRows(connectionId)).toEqual({ deliveries: 1, signals: 1 });
  });

  it('keeps its raw body, sealed: readable with the key, gone without', async () => {
    const { url, secret, connectionId } = await hook();
    const delivery = await githubDelivery('pull_request', pullRequest, secret);
    await post(url, delivery);
    const [row] = await app.database.query<{ body: Buffer }>(
      'select body from deliveries where connection_id = $1',
      [connectionId],
    );
    expect(row?.body.includes('waterworks')).toBe(false);
  });
});

describe('every published GitHub delivery', () => {
  it('is accepted once, makes at least one signal, and is refused with one byte flipped', async () => {
    const { url, secret, connectionId } = await hook();
    let accepted = 0;
    for (const { name, examples: payloads } of examples as unknown as {
      name: string;
      examples: object[];
    }[]) {
      for (const payload of payloads) {
        const delivery = await githubDelivery(name, payload, secret);
        const refused = await post(url, altered(delivery));
        expect(refused.status, `${name}, altered`).toBe(401);
        const first = await post(url, delivery);
        expect(first.status, name).toBe(202);
        expect(first.body.signals?.length, name).toBeGreaterThan(0);
        const again = await post(url, delivery);
        expect(again.status, `${name}, again`).toBe(200);
        expect(again.body, `${name}, again`).toEqual(first.body);
        accepted += 1;
      }
    }
    expect(accepted).toBe(329);
    const [dead] = await app.database.query(
      'select count(*)::int as n from deliveries where connection_id = $1 and failure is not null',
      [connectionId],
    );
    expect(dead).toEqual({ n: 0 });
    expect((await countRows(connectionId)).deliveries).toBe(329);
    const orphans = `select count(*)::int as n from deliveries d, unnest(signal_ids) as signal(id)
      where d.connection_id = $1 and not exists (select from signals s where s.id = signal.id)`;
    expect(await app.database.query(orphans, [connectionId])).toEqual([{ n: 0 }]);
  }, 60_000);
});

describe('a bad webhook gets a typed answer and leaves nothing behind', () => {
  const valid = (secret: string) => githubDelivery('pull_request', pullRequest, secret);
  const without = (name: string) => async (secret: string) => {
    const { body, headers } = await valid(secret);
    return { body, headers: Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name)) };
  };
  const withHeader = (name: string, value: string) => async (secret: string) => {
    const { body, headers } = await valid(secret);
    return { body, headers: { ...headers, [name]: value } };
  };
  const signedBytes = (bytes: Buffer) => async (secret: string) => {
    // The library signs texts; these bytes are none. What it would sign is the bytes' HMAC all the same.
    const { createHmac } = await import('node:crypto');
    const { headers } = await valid(secret);
    const signature = `sha256=${createHmac('sha256', secret).update(bytes).digest('hex')}`;
    return { body: bytes, headers: { ...headers, 'x-hub-signature-256': signature } };
  };
  const signed = (text: string) => (secret: string) => githubDelivery('pull_request', text, secret);

  const cases: readonly [string, number, string, (secret: string) => Promise<Delivery>][] = [
    ['signed with another secret', 401, 'INVALID_SIGNATURE', () => valid('another secret')],
    ['without a signature', 401, 'INVALID_SIGNATURE', without('x-hub-signature-256')],
    [
      'with a signature of the wrong length',
      401,
      'INVALID_SIGNATURE',
      withHeader('x-hub-signature-256', 'sha256=abcd'),
    ],
    [
      'with a signature that is no hexadecimal',
      401,
      'INVALID_SIGNATURE',
      withHeader('x-hub-signature-256', `sha256=${'zz'.repeat(32)}`),
    ],
    ['with one byte flipped', 401, 'INVALID_SIGNATURE', async (secret) => altered(await valid(secret))],
    ['without an event name', 400, 'MALFORMED_REQUEST', without('x-github-event')],
    ['without a delivery id', 400, 'MALFORMED_REQUEST', without('x-github-delivery')],
    [
      'with an endless delivery id',
      400,
      'MALFORMED_REQUEST',
      withHeader('x-github-delivery', 'x'.repeat(300)),
    ],
    ['of another content type', 400, 'MALFORMED_REQUEST', withHeader('content-type', 'text/xml')],
    ['that is not JSON', 400, 'MALFORMED_REQUEST', signed('{"action":')],
    ['that is empty', 400, 'MALFORMED_REQUEST', signedBytes(Buffer.alloc(0))],
    ['that is null', 400, 'MALFORMED_REQUEST', signed('null')],
    ['that is a number', 400, 'MALFORMED_REQUEST', signed('42')],
    [
      'that is not UTF-8',
      400,
      'MALFORMED_REQUEST',
      signedBytes(Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])),
    ],
    [
      'nested too deep',
      400,
      'MALFORMED_REQUEST',
      signed(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
    ],
    [
      'larger than allowed',
      413,
      'PAYLOAD_TOO_LARGE',
      signed(JSON.stringify({ padding: 'x'.repeat(1024 * 1024) })),
    ],
  ];

  it.each(cases)('%s: %i %s', async (_name, status, code, make) => {
    const { url, secret, connectionId } = await hook();
    const answer = await post(url, await make(secret));
    expect(answer.status).toBe(status);
    expect(answer.body.error).toEqual({
      code,
      message: expect.stringMatching(/\w/),
      details: expect.any(Object),
      timestamp: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/),
    });
    expect(await countRows(connectionId)).toEqual({ deliveries: 0, signals: 0 });
    // The endpoint is none the worse for it.
    expect((await post(url, await valid(secret))).status).toBe(202);
  });

  it('an unknown token, an unknown provider and another provider’s token answer alike', async () => {
    const { url, secret } = await hook();
    const delivery = await valid(secret);
    const urls = [
      url.replace(/[^/]+$/, 'unknown'),
      url.replace(/[^/]+$/, 'x'.repeat(200)),
      url.replace('/github/', '/nowhere/'),
      url.replace('/github/', '/example/'),
    ];
    const answers = await Promise.all(urls.map((one) => post(one, delivery)));
    for (const { status, body } of answers) {
      expect(status).toBe(404);
      expect({ ...body.error, timestamp: '' }).toEqual({ ...answers[0]?.body.error, timestamp: '' });
    }
  });

  it('a suspended connection: 409, at once, whatever was cached', async () => {
    const { url, secret, connectionId } = await hook();
    expect((await post(url, await valid(secret))).status).toBe(202);
    await app.database.query(`update connections set status = 'SUSPENDED' where id = $1`, [connectionId]);
    await expect.poll(async () => (await post(url, await valid(secret))).status).toBe(409);
    const answer = await post(url, await valid(secret));
    expect(answer.body.error).toMatchObject({
      code: 'CONNECTION_NOT_READY',
      details: { status: 'SUSPENDED' },
    });
  });

  it('a GET, and a path beside it: 404 in the same shape', async () => {
    const { url } = await hook();
    for (const [method, path] of [
      ['GET', url],
      ['POST', `${url}/more`],
    ] as const) {
      const response = await fetch(path, { method });
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ error: { code: 'NOT_FOUND' } });
      // A token is half a secret: no answer repeats it.
      expect(JSON.stringify(await fetch(path, { method }).then((again) => again.json()))).not.toContain(
        url.split('/').at(-1),
      );
    }
  });
});

describe('limits', () => {
  it('more than the rate allows: 429 with Retry-After, and the other connections don’t notice', async () => {
    const limited = await startTestApp({ env: { WEBHOOK_RATE_PER_SECOND: '5' } });
    try {
      const caller = await limited.caller();
      const [noisy, quiet] = [await connectGitHub(caller), await connectGitHub(caller)];
      const send = async ({ url, secret }: Hook) =>
        post(url, await githubDelivery('ping', { zen: 'Keep it simple.' }, secret));
      const answers = await Promise.all(Array.from({ length: 20 }, () => send(noisy)));
      const refused = answers.filter(({ status }) => status === 429);
      expect(refused.length).toBeGreaterThanOrEqual(5);
      expect(refused[0]?.headers.get('retry-after')).toBe('1');
      expect(refused[0]?.body.error?.code).toBe('RATE_LIMITED');
      expect((await send(quiet)).status).toBe(202);
      const [stored] = await limited.database.query('select count(*)::int as n from deliveries');
      expect(stored).toEqual({ n: answers.length - refused.length + 1 });
    } finally {
      await limited.close();
    }
  });

  it('a database that is away: 503 with Retry-After, and nothing half done', async () => {
    const { url, secret, connectionId } = await hook();
    const delivery = await githubDelivery('pull_request', pullRequest, secret);
    await post(url, await githubDelivery('ping', { zen: '…' }, secret));
    await app.database.query('alter table signals rename to hidden');
    const answer = await post(url, delivery);
    await app.database.query('alter table hidden rename to signals');
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(await countRows(connectionId)).toEqual({ deliveries: 1, signals: 1 });
    expect((await post(url, delivery)).status).toBe(202);
  });
});
