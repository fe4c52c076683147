import {
  type ProviderEvent,
  type SignalDraft,
  createNormalizer,
  line,
  links,
  textAt,
} from '../../src/connector/index.js';
import { otherRule, rules } from './normalize/rules.js';

const toDraft = createNormalizer({
  rules,
  otherRule,
  fallback: (body) =>
    links('record', textAt(body, 'event', 'data', 'html_url'), line(body, 'event', 'data', 'summary')),
});

/** One event of PagerDuty to its signal. */
export function normalize(event: ProviderEvent): readonly SignalDraft[] {
  return [toDraft(event)];
}
