import { createRequire } from 'node:module';
import type { Opinion } from './opinion.js';

interface Check {
  readonly signingSecret: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly nowMilliseconds: number;
}

// The part of Bolt that checks a request, without the rest of it.
const { isValidSlackRequest } = createRequire(import.meta.url)(
  '@slack/bolt/dist/receivers/verify-request.js',
) as { isValidSlackRequest(check: Check): boolean };

/** Bolt lets a time in the future through, and whatever JavaScript takes for a number: both are refused here. */
export const opinion: Opinion = {
  library: '@slack/bolt',
  verify: ({ headers, body }, secret, at) =>
    isValidSlackRequest({
      signingSecret: secret.reveal(),
      body: body.toString('utf8'),
      headers: {
        'x-slack-signature': headers['x-slack-signature'],
        'x-slack-request-timestamp': Number(headers['x-slack-request-timestamp']),
      },
      nowMilliseconds: at.getTime(),
    }),
};
