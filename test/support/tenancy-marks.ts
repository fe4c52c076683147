import type { FakeRequest } from './fake-provider.js';

/** Whose something is, wherever it turns up. */
export const MARK = /mk[0-9a-f]{16}/g;

/** What a request brings to be let in, readable: OAuth clients come by Basic. */
export function authorizationOf({ headers }: Pick<FakeRequest, 'headers'>): string {
  const [scheme, given = ''] = (headers['authorization'] ?? '').split(' ');
  return scheme === 'Basic' ? Buffer.from(given, 'base64').toString() : given;
}
