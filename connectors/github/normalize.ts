import {
  type EvidenceLink,
  type ProviderEvent,
  type SignalDraft,
  at,
  compact,
  isObject,
  listAt,
  textAt,
  timeAt,
} from '../../src/connector/index.js';
import { accountRules } from './normalize/account-rules.js';
import { codeRules } from './normalize/code-rules.js';
import { line, links } from './normalize/fields.js';
import { uniqueHints } from './normalize/hints.js';
import { bounded, digestOf, fill, pathsOf } from './normalize/identity.js';
import { otherRule } from './normalize/other.js';
import type { Rule } from './normalize/rules.js';
import { workRules } from './normalize/work-rules.js';

/** Every event that has a rule of its own. What none of them names becomes a `provider_event`; see `otherRule`. */
export const rules: readonly Rule[] = [...workRules, ...codeRules, ...accountRules];

/** One GitHub event to its signals: one, except for a wiki edit, which has one for each page. */
export function normalize(event: ProviderEvent): readonly SignalDraft[] {
  return unique(scopesOf(event).map((body, index) => toDraft(event, body, index)));
}

/** The bodies to read: the one that came, or one for each page of the wiki that it lists. */
function scopesOf({ type, body }: ProviderEvent): readonly unknown[] {
  const pages = type === 'gollum' && isObject(body) ? listAt(body, 'pages') : [];
  return pages.length > 0 && isObject(body) ? Array.from(pages, (page) => ({ ...body, page })) : [body];
}

function toDraft(event: ProviderEvent, body: unknown, index: number): SignalDraft {
  const rule = ruleFor(event.type, body);
  const told = rule.parts.map((part) => part.describe(body));
  const missing = missingOf(rule, body);
  return {
    identity: bounded(identityOf(rule, body) ?? deliveryOf(event, index)),
    type: rule.type,
    occurredAt: rule.at ? timeAt(body, ...rule.at.split('.')) : undefined,
    resource: compact(Object.assign({}, ...told.map(({ resource }) => resource))),
    payload: compact(Object.assign({}, ...told.map(({ payload }) => payload))),
    canonicalKeys: compact(Object.assign({}, ...told.map(({ keys }) => keys))),
    evidence: evidenceOf(
      body,
      told.flatMap(({ evidence }) => evidence ?? []),
    ),
    correlationHints: uniqueHints(told.flatMap(({ hints }) => hints ?? [])),
    ...(missing.length > 0 && { missing }),
  };
}

function ruleFor(type: string, body: unknown): Rule {
  const fits = ({ on, when }: Rule) => on.includes(type) && (!when || when(body));
  return rules.find(fits) ?? otherRule(type, body);
}

function identityOf({ identity, version }: Rule, body: unknown): string | undefined {
  const filled = identity && fill(identity, body);
  return filled && version ? `${filled}:${digestOf(at(body, version))}` : filled;
}

/** Several signals of one delivery must stay several. */
function deliveryOf(event: ProviderEvent, index: number): string {
  return index === 0 ? `delivery:${event.id}` : `delivery:${event.id}:${index}`;
}

/** A page that the list names twice in one revision is one signal. */
function unique(drafts: readonly SignalDraft[]): readonly SignalDraft[] {
  return [...new Map(drafts.map((draft) => [`${draft.type} ${draft.identity}`, draft])).values()];
}

function evidenceOf(body: unknown, found: readonly EvidenceLink[]): readonly EvidenceLink[] {
  if (found.length > 0) return found;
  return links('repository', textAt(body, 'repository', 'html_url'), line(body, 'repository', 'full_name'));
}

/** The documented fields that rule and parts read and the body lacks; of a whole object that is not there, its name. */
function missingOf(rule: Rule, body: unknown): readonly string[] {
  // What `otherRule` reads it only hopes for.
  if (rule.on.length === 0) return [];
  const read = [
    ...pathsOf(rule.identity ?? ''),
    ...(rule.at ? [rule.at] : []),
    ...rule.parts.flatMap((part) => part.required),
  ];
  const breaks = read.map((path) => breakOf(body, path.split('.'))).filter((path) => path !== undefined);
  return [...new Set(breaks)];
}

/** Where a path breaks off. A null on the way is an answer: "there is none". */
function breakOf(body: unknown, path: readonly string[]): string | undefined {
  const depth = path.findIndex((_, index) => at(body, ...path.slice(0, index + 1)) === undefined);
  if (depth < 0 || at(body, ...path.slice(0, depth)) === null) return undefined;
  return path.slice(0, depth + 1).join('.');
}
