import { isObject, timeAt } from '../../../src/connector/index.js';

/** Where times that identities are made of stand. */
const FIELDS = ['created_at', 'updated_at', 'closed_at', 'merged_at', 'finished_at'] as const;

/**
 * The body with its times in one form: GitLab writes `2013-12-03T17:15:43Z`, `2013-12-03 17:15:43 UTC` and, in answers of
 * its API, `2013-12-03T17:15:43.000Z` for the same moment. Milliseconds are left away: webhooks have none.
 */
export function withPlainTimes(body: unknown): unknown {
  if (!isObject(body) || !isObject(body['object_attributes'])) return body;
  const attributes = { ...body['object_attributes'] };
  for (const field of FIELDS) {
    const time = timeAt(attributes, field);
    if (time) attributes[field] = toPlainTime(time);
  }
  return { ...body, object_attributes: attributes };
}

/** RFC 3339 in UTC and whole seconds. */
export function toPlainTime(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}
