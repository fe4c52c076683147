import {
  type ProviderEvent,
  type SignalDraft,
  at,
  createNormalizer,
  isObject,
  line,
  links,
  listAt,
  textAt,
  uniqueDrafts,
} from '../../src/connector/index.js';
import { accountRules } from './normalize/account-rules.js';
import { codeRules } from './normalize/code-rules.js';
import { digestOf } from './normalize/identity.js';
import { otherRule } from './normalize/other.js';
import type { GitHubRule } from './normalize/rules.js';
import { workRules } from './normalize/work-rules.js';

/** Every event that has a rule of its own. What none of them names becomes a `provider_event`; see `otherRule`. */
export const rules: readonly GitHubRule[] = [...workRules, ...codeRules, ...accountRules];

const toDraft = createNormalizer({
  rules,
  otherRule,
  versionOf: ({ version }, body) => version && digestOf(at(body, version)),
  fallback: (body) =>
    links('repository', textAt(body, 'repository', 'html_url'), line(body, 'repository', 'full_name')),
});

/** One GitHub event to its signals: one, except for a wiki edit, which has one for each page. */
export function normalize(event: ProviderEvent): readonly SignalDraft[] {
  return uniqueDrafts(scopesOf(event).map((body, index) => toDraft(event, body, index)));
}

/** The bodies to read: the one that came, or one for each page of the wiki that it lists. */
function scopesOf({ type, body }: ProviderEvent): readonly unknown[] {
  const pages = type === 'gollum' && isObject(body) ? listAt(body, 'pages') : [];
  return pages.length > 0 && isObject(body) ? Array.from(pages, (page) => ({ ...body, page })) : [body];
}
