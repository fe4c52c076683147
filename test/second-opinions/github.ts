import { sign, verify } from '@octokit/webhooks-methods';
import type { Opinion } from './opinion.js';

export const opinion: Opinion = {
  library: '@octokit/webhooks-methods',
  async sign({ headers, body }, secret, at) {
    const signature = await sign(secret.reveal(), body.toString('utf8'));
    return { headers: { ...headers, 'x-hub-signature-256': signature }, body, receivedAt: at };
  },
  verify: ({ headers, body }, secret) =>
    verify(secret.reveal(), body.toString('utf8'), headers['x-hub-signature-256'] ?? ''),
};
