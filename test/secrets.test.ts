import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import {
  ConnectDocument,
  ConnectionDocument,
  ExecuteActionDocument,
  ReceiptsDocument,
  VerifyDocument,
} from '../schema/generated/operations.js';
import { type TestCaller, useTestApp } from './support/app.js';
import { createTestClock } from './support/clock.js';
import { answer, drop } from './support/fake-behavior.js';
import { startFakeGitHub } from './support/fake-github.js';
import { githubDelivery, post } from './support/github.js';

/** As it is, and in every dress it could slip out in. */
function* forms(secret: string): Iterable<string> {
  yield secret;
  yield encodeURIComponent(secret);
  yield Buffer.from(secret).toString('hex');
  yield Buffer.from(secret).toString('base64').replace(/=+$/, '');
  yield Buffer.from(secret).toString('base64url');
}

it('planted secrets show in no log line, metric, row, receipt or answer', async () => {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const clock = createTestClock();
  const github = await startFakeGitHub(clock);
  onTestFinished(() => github.provider.close());
  const env = { TRIBUTARY_PROVIDER_GITHUB_BASE_URL: github.provider.url };
  const app = await useTestApp({ clock, env, log: pino({ level: 'trace' }, sink) });
  const caller = await app.caller();
  const answers: string[] = [];
  const ask: TestCaller['ask'] = async (document, variables) => {
    const found = await caller.ask(document, variables);
    answers.push(JSON.stringify([found.data, found.errors]));
    return found;
  };

  const wrong = `ghp_planted_${randomBytes(12).toString('hex')}`;
  const good = await ask(ConnectDocument, {
    input: { providerId: 'github', name: 'good', authMethod: 'BEARER', credential: { token: github.token } },
  });
  const bad = await ask(ConnectDocument, {
    input: { providerId: 'github', name: 'bad', authMethod: 'BEARER', credential: { token: wrong } },
  });
  const hook = good.data?.connect.webhook;
  const connectionId = good.data?.connect.connection.id ?? '';
  const badId = bad.data?.connect.connection.id ?? '';
  // The two answers of connect are where URL and secret are shown, once.
  answers.length = 0;

  await ask(VerifyDocument, { connectionId });
  github.provider.next('GET /user', ({ request, send }) =>
    send({ status: 401, body: { message: `Bad credentials: ${request.headers['authorization']}` } }),
  );
  await ask(VerifyDocument, { connectionId: badId });
  await ask(ConnectDocument, {
    input: {
      providerId: 'github',
      name: 'odd',
      authMethod: 'BEARER',
      credential: { token: { deep: wrong }, [wrong]: 1 },
    },
  });
  await ask(ConnectDocument, {
    input: { providerId: 'github', name: 'odd', authMethod: 'BASIC', credential: { token: wrong } },
  });
  const comment = (idempotencyKey: string) => ({
    input: {
      connectionId,
      idempotencyKey,
      action: { addIssueComment: { project: 'octo/demo', issue: '1', body: 'x' } },
    },
  });
  github.provider.next(
    (request) => request.method === 'POST',
    drop(),
    answer({ status: 500, body: { message: 'oops' } }),
  );
  await ask(ExecuteActionDocument, comment('lost'));
  await ask(ExecuteActionDocument, comment('failed'));
  await ask(ExecuteActionDocument, comment('done'));
  await post(hook?.url ?? '', await githubDelivery('ping', { zen: 'x' }, hook?.secret ?? ''));
  await post(hook?.url ?? '', await githubDelivery('ping', { zen: 'x' }, 'another'));
  await post(`${hook?.url}x`, await githubDelivery('ping', { zen: 'x' }, 'another'));
  await app.database.query('alter table credentials rename to hidden');
  await ask(VerifyDocument, { connectionId });
  await app.database.query('alter table hidden rename to credentials');
  await ask(ReceiptsDocument);
  const metrics = await (await fetch(`${app.url}/metrics`)).text();
  const tables = await app.database.query<{ name: string }>(
    `select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`,
  );
  const rows = await Promise.all(
    tables.map(({ name }) => app.database.query(`select t::text from ${name} t`)),
  );

  const places = {
    logs: lines.join(''),
    metrics,
    database: JSON.stringify(rows),
    answers: answers.join('\n'),
  };
  expect(lines.length).toBeGreaterThan(5);
  const token = hook?.url.split('/').at(-1) ?? '';
  for (const secret of [github.token, wrong, hook?.secret ?? '', token, caller.token]) {
    expect(secret.length).toBeGreaterThan(20);
    for (const [place, text] of Object.entries(places)) {
      for (const form of forms(secret)) expect(text.includes(form), `${place} hold a secret`).toBe(false);
    }
  }
  // What may show the URL is the one field made for it.
  const { data } = await caller.ask(ConnectionDocument, { id: connectionId });
  expect(data?.connection?.webhook?.url).toBe(hook?.url);
});
