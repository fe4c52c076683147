import type { Part, Rule } from '../../../src/connector/index.js';
import { details, repository, sender } from './shared.js';

/** How one kind of GitHub's events becomes a signal. */
export interface GitHubRule extends Rule {
  /** The object whose visible fields are digested behind the identity: a version of it, not a fact of its own. */
  readonly version?: string;
}

/** Rules of one area: the same parts for all of them. */
export function area(
  parts: readonly Part[],
  rules: readonly Omit<GitHubRule, 'parts'>[],
): readonly GitHubRule[] {
  return rules.map((rule) => ({ ...rule, parts: [details, ...parts] }));
}

/** What nearly every event has. */
export const inRepository = [repository, sender] as const;
