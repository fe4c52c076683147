import type { Part, Rule } from '../../../src/connector/index.js';
import { actor, details, project } from './shared.js';

/** How one kind of GitLab's events becomes a signal. */
export interface GitLabRule extends Rule {
  /** A digest of `changes` stands behind the identity: it is about a version of the thing. */
  readonly hasVersion?: true;
}

/** Rules of one area: the same parts for all of them. */
export function area(
  parts: readonly Part[],
  rules: readonly Omit<GitLabRule, 'parts'>[],
): readonly GitLabRule[] {
  return rules.map((rule) => ({ ...rule, parts: [details, ...parts] }));
}

/** What nearly every event has. */
export const inProject = [project, actor] as const;
