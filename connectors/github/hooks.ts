import type { JsonObject } from '../../src/connector/index.js';
import { requireRepository } from './actions/target.js';

type Params = Readonly<Record<string, string>>;

/** The address of a target's webhooks, or of what is below them. */
export function hooksOf({ repository, organization }: JsonObject, below = '', params: Params = {}) {
  if (typeof organization === 'string') {
    return { path: `/orgs/{org}/hooks${below}`, params: { org: organization, ...params } };
  }
  const name = typeof repository === 'string' ? repository : undefined;
  return { path: `/repos/{owner}/{repo}/hooks${below}`, params: { ...requireRepository(name), ...params } };
}
