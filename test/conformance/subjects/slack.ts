import { createHmac } from 'node:crypto';
import { slack } from '../../../connectors/slack/index.js';
import { isObject } from '../../../src/connector/index.js';
import { Secret } from '../../../src/core/secret.js';
import { throttled } from '../../support/fake-behavior.js';
import { CHANNEL, slackError, startFakeSlack } from '../../support/fake-slack.js';
import type { ConformanceSubject } from '../subject.js';

/** There before everything else: what a thread begins with, and a reaction is to. */
const FIRST = '1795262400.000001';

export const subject: ConformanceSubject = {
  connector: slack,
  folder: 'slack',
  webhook: {
    signs: ['body', 'time'],
    // Recorded with every value blank: the id as well, which tells one event from another.
    payload(file, body) {
      const recorded: unknown = JSON.parse(String(body));
      const named = isObject(recorded) && 'event_id' in recorded ? { ...recorded, event_id: file } : recorded;
      return { headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(named)) };
    },
    // From Slack's page, not with the connector's own code: two readings have to agree.
    sign({ headers, body }, secret, at) {
      const timestamp = String(Math.floor(at.getTime() / 1000));
      const hmac = createHmac('sha256', secret.reveal()).update(`v0:${timestamp}:`).update(body);
      const proof = {
        'x-slack-request-timestamp': timestamp,
        'x-slack-signature': `v0=${hmac.digest('hex')}`,
      };
      return { headers: { ...headers, ...proof }, body, receivedAt: at };
    },
  },
  provider: {
    async start(clock) {
      const fake = await startFakeSlack(clock);
      fake.say('The door does not close.');
      return {
        provider: fake.provider,
        credential: { token: new Secret(fake.token) },
        crowd() {
          for (let said = 0; said < 40; said++) fake.say('Me too.');
          for (let said = 0; said < 40; said++) fake.say('Mine does.', FIRST);
        },
      };
    },
    inputs: {
      postMessage: { channel: CHANNEL, text: 'The **door** closes again.' },
      replyInThread: { channel: CHANNEL, thread: FIRST, text: 'It does when pushed.' },
      addReaction: { channel: CHANNEL, message: FIRST, name: 'thumbsup' },
    },
    throttles: (now) => [
      {
        name: '429 with Retry-After',
        answer: throttled({ retryAfter: 30, body: slackError(429).body }, now),
        retryAt: new Date(now.getTime() + 30_000),
      },
      {
        name: '429 without a time',
        answer: throttled({ body: slackError(429).body }, now),
        retryAt: new Date(now.getTime() + 60_000),
      },
      {
        name: '200, ratelimited',
        answer: throttled({ status: 200, retryAfter: 5, body: slackError(429).body }, now),
        retryAt: new Date(now.getTime() + 5_000),
      },
    ],
    error: slackError,
  },
};
