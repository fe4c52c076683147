import { Webhook } from 'standardwebhooks';
import type { Opinion } from './opinion.js';

/** For providers that sign by Standard Webhooks. Its clock is the real one. */
export const standard: Opinion = {
  library: 'standardwebhooks',
  sign({ headers, body }, secret, at) {
    const id = headers['webhook-id'] ?? 'msg_of_the_second_opinion';
    const signature = new Webhook(secret.reveal()).sign(id, at, body.toString('utf8'));
    const timestamp = String(Math.floor(at.getTime() / 1000));
    const proof = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature };
    return { headers: { ...headers, ...proof }, body, receivedAt: at };
  },
  verify({ headers, body }, secret) {
    new Webhook(secret.reveal()).verify(body.toString('utf8'), headers as Record<string, string>);
    return true;
  },
};
