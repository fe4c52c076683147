import {
  type ProviderEvent,
  type SignalDraft,
  at,
  createNormalizer,
  timeAt,
} from '../../src/connector/index.js';
import { momentOf } from './normalize/fields.js';
import { otherRule, rules } from './normalize/rules.js';

const toDraft = createNormalizer({ rules, otherRule, fallback: () => [] });

/** One event of Slack's is one signal. */
export function normalize(event: ProviderEvent): readonly SignalDraft[] {
  return [{ ...toDraft(event), occurredAt: happenedAt(event.body) }];
}

/** When, as exactly as Slack tells: `event_time` is whole seconds, and interactivity has `action_ts`. */
function happenedAt(body: unknown): Date | undefined {
  const times = [at(body, 'event', 'event_ts'), at(body, 'event', 'ts'), at(body, 'action_ts')];
  const told = [...times, at(body, 'actions', 0, 'action_ts')]
    .map(momentOf)
    .find((time) => time !== undefined);
  return told ?? timeAt(body, 'event_time');
}
