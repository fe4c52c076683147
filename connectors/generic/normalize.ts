import { type ProviderEvent, type SignalDraft, bounded } from '../../src/connector/index.js';

/** Without a mapping nobody knows what an event means: it is kept, and told as what it is. */
export function normalize({ id }: ProviderEvent): readonly SignalDraft[] {
  return [
    {
      identity: bounded(`delivery:${id}`),
      type: 'provider_event',
      occurredAt: undefined,
      resource: {},
      payload: {},
      canonicalKeys: {},
      evidence: [],
      correlationHints: [],
    },
  ];
}
