import { uniqueHints } from './hints.js';
import { type Template, bounded, createTemplate } from './identity.js';
import { type JsonObject, at, compact, timeAt } from './json.js';
import type { CorrelationHint, EvidenceLink, SignalDraft, SignalResource, SignalType } from './signal.js';
import type { ProviderEvent } from './webhook.js';

/** What one part of a body says about its event. Undefined fields are dropped when the parts are put together. */
export interface Description {
  readonly resource?: { readonly [K in keyof SignalResource]: string | undefined };
  readonly payload?: JsonObject;
  readonly keys?: Readonly<Record<string, string | undefined>>;
  readonly evidence?: readonly EvidenceLink[];
  readonly hints?: readonly CorrelationHint[];
}

/** A thing that a provider puts into the bodies of several events: a pull request, a sender … */
export interface Part {
  /** What `describe` reads and the provider documents as always there, as dotted paths. */
  readonly required: readonly string[];
  describe(body: unknown): Description;
}

/** How one kind of event becomes a signal. */
export interface Rule {
  /** The events it speaks for, as `name.action`. */
  readonly on: readonly string[];
  /** And only if the body says so. The first rule that fits decides. */
  readonly when?: (body: unknown) => boolean;
  readonly type: SignalType;
  /**
   * What the provider itself knows the happening by, with `{dotted.path}` filled from the body. Absent, or with a value
   * missing: the delivery's id, because nothing else is sure to be its own.
   */
  readonly identity?: string;
  /** Where the body tells when it happened. Absent: it does not tell. */
  readonly at?: string;
  readonly parts: readonly Part[];
}

/** What tells one provider's events from another's. */
export interface Dialect<R extends Rule> {
  readonly rules: readonly R[];
  /** The rule for an event that no rule names. Nothing can be missing from it. */
  readonly otherRule: (type: string, body: unknown) => R;
  /** Behind the identity: which version of the thing it is about. Absent, or undefined: the identity says it all. */
  readonly versionOf?: (rule: R, body: unknown) => string | undefined;
  /** The link that a signal shows when no part has a better one. */
  readonly fallback: (body: unknown) => readonly EvidenceLink[];
}

/** `on('issues', 'edited', 'labeled')` → `['issues.edited', 'issues.labeled']`. */
export function on(event: string, ...actions: readonly string[]): readonly string[] {
  return actions.map((action) => `${event}.${action}`);
}

/** A rule with its paths split: that is done once, and not for each delivery. */
interface Prepared<R> {
  readonly rule: R;
  readonly identity?: Template;
  readonly at?: readonly string[];
  /** The documented paths that rule and parts read, each once. */
  readonly read: readonly (readonly string[])[];
}

/** Makes a signal of an event by the first rule that fits it. `index` keeps several signals of one delivery apart. */
export function createNormalizer<R extends Rule>({ rules, otherRule, versionOf, fallback }: Dialect<R>) {
  const byType = indexByType(rules);

  function ruleFor(type: string, body: unknown): Prepared<R> {
    const found = byType.get(type)?.find(({ rule: { when } }) => !when || when(body));
    return found ?? prepare(otherRule(type, body));
  }

  function identityOf({ rule, identity }: Prepared<R>, body: unknown): string | undefined {
    const filled = identity?.fill(body);
    const version = filled && versionOf?.(rule, body);
    return version ? `${filled}:${version}` : filled;
  }

  return function toDraft(event: ProviderEvent, body: unknown = event.body, index = 0): SignalDraft {
    const prepared = ruleFor(event.type, body);
    const told = prepared.rule.parts.map((part) => part.describe(body));
    const missing = missingOf(prepared, body);
    const evidence = told.flatMap(({ evidence: found }) => found ?? []);
    return {
      identity: bounded(identityOf(prepared, body) ?? deliveryOf(event, index)),
      type: prepared.rule.type,
      occurredAt: prepared.at ? timeAt(body, ...prepared.at) : undefined,
      resource: compact(Object.assign({}, ...told.map(({ resource }) => resource))),
      payload: compact(Object.assign({}, ...told.map(({ payload }) => payload))),
      canonicalKeys: compact(Object.assign({}, ...told.map(({ keys }) => keys))),
      evidence: evidence.length > 0 ? evidence : fallback(body),
      correlationHints: uniqueHints(told.flatMap(({ hints }) => hints ?? [])),
      ...(missing.length > 0 && { missing }),
    };
  };
}

/** The rules that speak for a type, in their order. */
function indexByType<R extends Rule>(rules: readonly R[]): ReadonlyMap<string, readonly Prepared<R>[]> {
  const byType = new Map<string, Prepared<R>[]>();
  for (const prepared of rules.map(prepare)) {
    for (const type of prepared.rule.on) byType.set(type, [...(byType.get(type) ?? []), prepared]);
  }
  return byType;
}

function prepare<R extends Rule>(rule: R): Prepared<R> {
  const identity = rule.identity === undefined ? undefined : createTemplate(rule.identity);
  // What a rule for no event in particular reads it only hopes for.
  const isNamed = rule.on.length > 0;
  const read = [
    ...(identity?.paths ?? []),
    ...(rule.at ? [rule.at] : []),
    ...rule.parts.flatMap(({ required }) => required),
  ];
  return {
    rule,
    ...(identity && { identity }),
    ...(rule.at && { at: rule.at.split('.') }),
    read: isNamed ? [...new Set(read)].map((path) => path.split('.')) : [],
  };
}

/** Several signals of one delivery must stay several. */
function deliveryOf(event: ProviderEvent, index: number): string {
  return index === 0 ? `delivery:${event.id}` : `delivery:${event.id}:${index}`;
}

/** What comes twice in one delivery is one signal. */
export function uniqueDrafts(drafts: readonly SignalDraft[]): readonly SignalDraft[] {
  return [...new Map(drafts.map((draft) => [`${draft.type} ${draft.identity}`, draft])).values()];
}

/** The documented fields that the body lacks; of a whole object that is not there, its name. */
function missingOf({ read }: Pick<Prepared<Rule>, 'read'>, body: unknown): readonly string[] {
  const breaks = read.map((path) => breakOf(body, path)).filter((path) => path !== undefined);
  return [...new Set(breaks)];
}

/** Where a path breaks off. A null on the way is an answer: "there is none". */
function breakOf(body: unknown, path: readonly string[]): string | undefined {
  if (at(body, ...path) !== undefined) return undefined;
  const depth = path.findIndex((_, index) => at(body, ...path.slice(0, index + 1)) === undefined);
  if (at(body, ...path.slice(0, depth)) === null) return undefined;
  return path.slice(0, depth + 1).join('.');
}
