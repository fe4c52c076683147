import { type ActionOutcome, textAt } from '../../../src/connector/index.js';

export const outputSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['identifier', 'url'],
  properties: { identifier: { type: 'string' }, url: { type: 'string' } },
} as const;

/** Undefined for what is no issue. */
export function issueOutcome(issue: unknown): ActionOutcome | undefined {
  const [externalId, identifier, url] = ['id', 'identifier', 'url'].map((field) => textAt(issue, field));
  if (!externalId || !identifier || !url) return undefined;
  return { externalId, url, output: { identifier, url } };
}
