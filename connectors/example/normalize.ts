import {
  type EvidenceLink,
  type ProviderEvent,
  type SignalDraft,
  type SignalType,
  compact,
  textAt,
  timeAt,
} from '../../src/connector/index.js';

/** The provider's words on the left, ours on the right. */
const TYPES: ReadonlyMap<string, SignalType> = new Map([
  ['issue.created', 'issue_created'],
  ['issue.closed', 'issue_closed'],
  ['comment.created', 'issue_commented'],
  ['ping', 'webhook_ping'],
]);

/**
 * One event is one signal here. Pure and total: real deliveries are thinner than their documentation, so every
 * field may be absent, and what is absent is told in `missing` instead of thrown.
 */
export function normalize(event: ProviderEvent): readonly SignalDraft[] {
  const { body } = event;
  const issue = textAt(body, 'issue', 'key');
  const actor = textAt(body, 'actor', 'id');
  return [
    {
      identity: identityOf(event),
      type: TYPES.get(event.type) ?? 'provider_event',
      occurredAt: timeAt(body, 'occurred_at'),
      resource: {},
      payload: compact({
        project: textAt(body, 'project'),
        issue_id: textAt(body, 'issue', 'id'),
        title: textAt(body, 'issue', 'title'),
        state: textAt(body, 'issue', 'state'),
        comment: textAt(body, 'comment', 'body'),
        actor,
      }),
      canonicalKeys: compact({ issue_key: issue, user_id: actor }),
      evidence: [...linkTo('issue', body), ...linkTo('comment', body)],
      correlationHints: issue ? [{ type: 'resource_id', value: issue, confidence: 1 }] : [],
      missing: missingFrom(event),
    },
  ];
}

/**
 * What happened, not how we heard of it: a poll and a redelivery must come to the same identity, so the thing's own
 * id is used and the delivery's only where the event is about no thing.
 */
function identityOf({ id, type, body }: ProviderEvent): string {
  const thing = textAt(body, 'comment', 'id') ?? textAt(body, 'issue', 'id');
  // An issue can be closed twice: the moment tells the two apart.
  const when = textAt(body, 'occurred_at');
  const parts = thing && TYPES.has(type) ? [type, thing, ...(when ? [when] : [])] : [type, id];
  return parts.join(':').slice(0, 255);
}

function linkTo(type: 'issue' | 'comment', body: unknown): readonly EvidenceLink[] {
  const url = textAt(body, type, 'url');
  return url ? [compact({ type, url, title: textAt(body, type, 'title') })] : [];
}

function missingFrom({ type, body }: ProviderEvent): readonly string[] {
  if (!TYPES.has(type) || type === 'ping') return [];
  const wanted = ['occurred_at', 'issue.id', 'issue.key', 'issue.url', 'actor.id'];
  return wanted.filter((path) => textAt(body, ...path.split('.')) === undefined);
}
