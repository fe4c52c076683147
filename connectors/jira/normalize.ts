import {
  type ProviderEvent,
  type SignalDraft,
  createNormalizer,
  uniqueDrafts,
} from '../../src/connector/index.js';
import { facetsOf } from './normalize/facets.js';
import { otherRule, rules } from './normalize/rules.js';
import { issueLink } from './normalize/parts.js';

const toDraft = createNormalizer({ rules, otherRule, fallback: issueLink });

/** One Jira event to its signals: several where one change moved, closed and assigned an issue at once. */
export function normalize(event: ProviderEvent): readonly SignalDraft[] {
  return uniqueDrafts(facetsOf(event).map((body, index) => toDraft(event, body, index)));
}
