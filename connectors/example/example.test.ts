import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.js';
import { example } from './index.js';
import { webhook } from './webhook.js';

// Only what conformance can't know: that every connector is held to anyway (test/connectors.test.ts).

const NOW = new Date('2026-01-02T03:04:05Z');
const secret = new Secret('whsec_example');

function delivery(secondsOff: number, id = 'dlv_1', signedId = id) {
  const timestamp = String(NOW.getTime() / 1000 + secondsOff);
  const body = Buffer.from('{"type":"ping"}');
  const signature = createHmac('sha256', 'whsec_example').update(
    `${signedId}.${timestamp}.${body.toString()}`,
  );
  const headers = {
    'example-delivery': id,
    'example-timestamp': timestamp,
    'example-signature': `v1=${signature.digest('hex')}`,
  };
  return { headers, body, receivedAt: NOW };
}

describe('example webhook', () => {
  it.each([
    [0, true],
    [300, true],
    [-300, true],
    [301, false],
    [-301, false],
  ])('tolerates five minutes both ways: %i seconds', (secondsOff, isAccepted) => {
    expect(webhook.verify(delivery(secondsOff), [secret])).toBe(isAccepted);
  });

  it('refuses a recorded delivery under a new id, which would pass the replay guard', () => {
    expect(webhook.verify(delivery(0, 'dlv_2', 'dlv_1'), [secret])).toBe(false);
  });
});

it('has no verb for what Example does not know', () => {
  expect(Object.keys(example.actions ?? {})).toEqual(['createIssue', 'addIssueComment']);
});
