import { sign, verify } from '@octokit/webhooks-methods';
import { SymmetricAlgorithm, decodeSymmetric, encodeSymmetric } from 'atlassian-jwt';
import type { Opinion } from './opinion.js';

/** Atlassian has no library of its own for this; its page describes GitHub's scheme, under another name of the header. */
export const opinion: Opinion = {
  library: '@octokit/webhooks-methods',
  async sign({ headers, body }, secret, at) {
    const signature = await sign(secret.reveal(), body.toString('utf8'));
    return { headers: { ...headers, 'x-hub-signature': signature }, body, receivedAt: at };
  },
  verify: ({ headers, body }, secret) =>
    verify(secret.reveal(), body.toString('utf8'), headers['x-hub-signature'] ?? ''),
};

/**
 * Of what comes to an app's address: Atlassian's own library for its tokens. They vouch for no body, and the library
 * leaves it to its callers when they end.
 */
export const appOpinion: Required<Opinion> = {
  library: 'atlassian-jwt',
  sign({ headers, body }, secret, at) {
    const exp = Math.floor(at.getTime() / 1000) + 180;
    const token = encodeSymmetric({ iss: 'client', exp }, secret.reveal());
    return { headers: { ...headers, authorization: `Bearer ${token}` }, body, receivedAt: at };
  },
  verify({ headers }, secret) {
    const token = headers['authorization']?.replace('Bearer ', '') ?? '';
    return decodeSymmetric(token, secret.reveal(), SymmetricAlgorithm.HS256) !== undefined;
  },
};
