import type { SignalType } from '../../../src/connector/index.js';
import type { Part } from './part.js';
import { details, repository, sender } from './shared.js';

/** How one kind of event becomes a signal. */
export interface Rule {
  /** The events it speaks for, as `name.action`. */
  readonly on: readonly string[];
  /** And only if the body says so. The first rule that fits decides. */
  readonly when?: (body: unknown) => boolean;
  readonly type: SignalType;
  /**
   * What GitHub itself knows the happening by, with `{dotted.path}` filled from the body. Absent, or with a value
   * missing: the delivery's id, because nothing else is sure to be its own.
   */
  readonly identity?: string;
  /** The object whose visible fields are digested behind the identity: a version of it, not a fact of its own. */
  readonly version?: string;
  /** Where the body tells when it happened. Absent: it does not tell. */
  readonly at?: string;
  readonly parts: readonly Part[];
}

/** Rules of one area: the same parts for all of them. */
export function area(parts: readonly Part[], rules: readonly Omit<Rule, 'parts'>[]): readonly Rule[] {
  return rules.map((rule) => ({ ...rule, parts: [details, ...parts] }));
}

/** What nearly every event has. */
export const inRepository = [repository, sender] as const;

/** `on('issues', 'edited', 'labeled')` → `['issues.edited', 'issues.labeled']`. */
export function on(event: string, ...actions: readonly string[]): readonly string[] {
  return actions.map((action) => `${event}.${action}`);
}
