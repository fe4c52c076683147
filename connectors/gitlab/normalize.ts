import {
  type ProviderEvent,
  type SignalDraft,
  createNormalizer,
  line,
  links,
  textAt,
  uniqueDrafts,
} from '../../src/connector/index.js';
import { buildRules } from './normalize/build-rules.js';
import { codeRules, refEventOf } from './normalize/code-rules.js';
import { digestOf } from './normalize/fields.js';
import { otherRule } from './normalize/other.js';
import { peopleRules } from './normalize/people-rules.js';
import type { GitLabRule } from './normalize/rules.js';
import { withPlainTimes } from './normalize/times.js';
import { workRules } from './normalize/work-rules.js';

/** Every event that has a rule of its own. What none of them names becomes a `provider_event`; see `otherRule`. */
export const rules: readonly GitLabRule[] = [...workRules, ...codeRules, ...buildRules, ...peopleRules];

const toDraft = createNormalizer({
  rules,
  otherRule,
  versionOf: ({ hasVersion }, body) => (hasVersion ? digestOf(body) : undefined),
  fallback: (body) =>
    links('repository', textAt(body, 'project', 'web_url'), line(body, 'project', 'path_with_namespace')),
});

/** One GitLab event to its signals: a push that makes or deletes a branch, or makes a tag, has a second one for that. */
export function normalize(event: ProviderEvent): readonly SignalDraft[] {
  const body = withPlainTimes(event.body);
  const refEvent = refEventOf(event.type, body);
  return uniqueDrafts([
    toDraft(event, body),
    ...(refEvent ? [toDraft({ ...event, type: refEvent }, body, 1)] : []),
  ]);
}
