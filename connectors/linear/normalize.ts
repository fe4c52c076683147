import {
  type ProviderEvent,
  type SignalDraft,
  createNormalizer,
  links,
  textAt,
} from '../../src/connector/index.js';
import { otherRule } from './normalize/other.js';
import { rules } from './normalize/rules.js';

export { rules } from './normalize/rules.js';

const toDraft = createNormalizer({
  rules,
  otherRule,
  fallback: (body) => links('record', textAt(body, 'url')),
});

/** One Linear event to its signal. */
export function normalize(event: ProviderEvent): readonly SignalDraft[] {
  return [toDraft(event)];
}
