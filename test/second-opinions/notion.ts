import { signWebhookPayload, verifyWebhookSignature } from '@notionhq/client';
import type { Opinion } from './opinion.js';

export const opinion: Opinion = {
  library: '@notionhq/client',
  async sign({ headers, body }, secret, at) {
    const signature = await signWebhookPayload({
      body: body.toString('utf8'),
      verificationToken: secret.reveal(),
    });
    return { headers: { ...headers, 'x-notion-signature': signature }, body, receivedAt: at };
  },
  verify: ({ headers, body }, secret) =>
    verifyWebhookSignature({
      body: body.toString('utf8'),
      signature: headers['x-notion-signature'],
      verificationToken: secret.reveal(),
    }),
};
