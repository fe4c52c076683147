import { createHmac } from 'node:crypto';
import { example } from '../../../connectors/example/index.js';
import { Secret } from '../../../src/core/secret.js';
import { throttled } from '../../support/fake-behavior.js';
import { exampleError, startFakeExample } from '../../support/fake-example.js';
import type { ConformanceSubject } from '../subject.js';

export const subject: ConformanceSubject = {
  connector: example,
  folder: 'example',
  webhook: {
    signs: ['body', 'time'],
    // Written from the provider's page and not with the connector's own code: two readings have to agree.
    sign({ headers, body }, secret, at) {
      const timestamp = String(Math.floor(at.getTime() / 1000));
      const hmac = createHmac('sha256', secret.reveal())
        .update(`${headers['example-delivery']}.${timestamp}.`)
        .update(body);
      const proof = { 'example-timestamp': timestamp, 'example-signature': `v1=${hmac.digest('hex')}` };
      return { headers: { ...headers, ...proof }, body, receivedAt: at };
    },
  },
  registration: {
    target: { project: 'DEMO' },
    least: { wanted: ['issue.created', 'ping'], asked: ['issue.created'] },
  },
  polling: { settings: {} },
  provider: {
    async start(clock) {
      const { provider, token, hooks, events, addIssues, close, comment } = await startFakeExample(clock);
      return {
        provider,
        credential: { token: new Secret(token) },
        crowd: () => addIssues(150),
        hooks: () => hooks,
        polled: {
          happen() {
            addIssues(150);
            comment('DEMO-1', 'It does when pushed.');
            close('DEMO-1');
          },
          told: () => events.map((event) => ({ type: event.type, body: { ...event } })),
        },
      };
    },
    inputs: {
      createIssue: {
        project: 'DEMO',
        title: 'The door does not close',
        body: 'Since Monday.',
        labels: ['door'],
      },
      addIssueComment: { project: 'DEMO', issue: 'DEMO-1', body: 'It does when pushed.' },
    },
    throttles: (now) => [
      {
        name: '429, Retry-After in seconds',
        answer: throttled({ retryAfter: 37 }, now),
        retryAt: new Date(now.getTime() + 37_000),
      },
      {
        name: '429, reset in epoch seconds',
        answer: throttled(
          {
            reset: {
              header: 'example-limit-reset',
              unit: 'epoch_seconds',
              at: new Date('2026-11-21T12:05:00Z'),
            },
          },
          now,
        ),
        retryAt: new Date('2026-11-21T12:05:00Z'),
      },
      {
        name: '403 quota_exceeded without a time',
        answer: throttled(
          { status: 403, body: { error: { code: 'quota_exceeded', message: 'Slow down' } } },
          now,
        ),
        retryAt: new Date(now.getTime() + 60_000),
      },
    ],
    error: exampleError,
  },
};
