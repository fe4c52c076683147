import {
  type ActionOutcome,
  type ActionContext,
  type JsonObject,
  compact,
  count,
  textAt,
} from '../../../src/connector/index.js';

export const outputSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['id', 'url'],
  properties: {
    id: { type: 'string' },
    url: { type: 'string' },
    number: { type: 'integer' },
    status: { enum: ['triggered', 'acknowledged', 'resolved'] },
  },
} as const;

/** Undefined: it is no incident, or one that lacks what PagerDuty promises. */
export function outcomeOf(incident: unknown): ActionOutcome | undefined {
  const [id, url, status] = ['id', 'html_url', 'status'].map((field) => textAt(incident, field));
  if (!id || !url || !status) return undefined;
  return { externalId: id, url, output: compact({ id, url, status, number: count(incident, 'number') }) };
}

/** Whoever writes by a key of the account has to say as whom; a user's own key or token says it by itself. */
export function writing({ settings }: ActionContext): {
  readonly headers?: Readonly<Record<string, string>>;
} {
  const from = fromOf(settings);
  return from ? { headers: { from } } : {};
}

const fromOf = (settings: JsonObject): string | undefined => textAt(settings, 'from');
