import type { CorrelationHint } from './signal.js';

/** How sure a hint is. Our own reading of people's text is never certain. */
const SURE = 1;
const LINKED = 0.9;
const MENTIONED = 0.6;
const NAMED_ALIKE = 0.5;

const HINT_LIMIT = 50;

/** Jira's form of a key; Linear and others use the same. */
const ISSUE_KEY = /(?<![A-Za-z0-9])([A-Z][A-Z0-9]{1,9})-[1-9]\d{0,6}(?![A-Za-z0-9])/g;
/** They look like issue keys and are names of standards. */
const NOT_PROJECTS = new Set([
  'UTF',
  'SHA',
  'ISO',
  'RFC',
  'CVE',
  'CWE',
  'AES',
  'RSA',
  'HTTP',
  'TLS',
  'ES',
  'EN',
]);

/**
 * The words by which a text closes an issue; GitHub and GitLab share them.
 * https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue
 * https://docs.gitlab.com/user/project/issues/managing_issues/#default-closing-pattern
 */
const CLOSING_WORD =
  /\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?[ \t]{1,3}([\w.-]{1,40}(?:\/[\w.-]{1,100}){1,20})?#(\d{1,10})\b/gi;

/** A thing with a number in a repository. `mark` tells which row of numbers: GitLab writes merge requests as `acme/shop!7`. */
export function numberHint(
  repository: string | undefined,
  number: string | undefined,
  mark: '#' | '!' = '#',
): readonly CorrelationHint[] {
  if (!repository || !number) return [];
  return [{ type: 'resource_id', value: `${repository}${mark}${number}`, confidence: SURE }];
}

/** False for the zeros that stand where there is no commit: before a ref is made, after it is deleted. */
export function isCommit(hash: string | undefined): hash is string {
  return hash !== undefined && /[^0]/.test(hash);
}

/** Commits are named by content: the same hash is the same commit everywhere. */
export function commitHints(...hashes: readonly (string | undefined)[]): readonly CorrelationHint[] {
  return hashes.filter(isCommit).map((hash) => ({ type: 'resource_id', value: hash, confidence: SURE }));
}

/** A branch or tag by its bare name: deployments and builds elsewhere know no more, and many repositories share it. */
export function nameHints(...names: readonly (string | undefined)[]): readonly CorrelationHint[] {
  return names
    .filter((name) => name !== undefined)
    .map((name) => ({ type: 'metadata', value: name, confidence: NAMED_ALIKE }));
}

/** Keys of other trackers (`SHOP-12`) that people write into branch names and titles. */
export function keyHints(...texts: readonly (string | undefined)[]): readonly CorrelationHint[] {
  return texts
    .flatMap((text) => [...(text ?? '').matchAll(ISSUE_KEY)])
    .filter(([, project]) => !NOT_PROJECTS.has(project ?? ''))
    .map(([key]) => ({ type: 'metadata', value: key, confidence: MENTIONED }));
}

/** Issues that a text closes: "fixes #12", "Resolves acme/shop#3". */
export function closingHints(
  repository: string | undefined,
  text: string | undefined,
): readonly CorrelationHint[] {
  return [...(text ?? '').matchAll(CLOSING_WORD)]
    .filter(([, elsewhere]) => elsewhere ?? repository)
    .map(([, elsewhere, number]) => ({
      type: 'resource_id',
      value: `${elsewhere ?? repository}#${number}`,
      confidence: LINKED,
    }));
}

/** Each value once, as sure as it was ever found; the surest first. */
export function uniqueHints(hints: readonly CorrelationHint[]): readonly CorrelationHint[] {
  const seen = new Set<string>();
  return hints
    .toSorted((one, other) => other.confidence - one.confidence)
    .filter(({ value }) => !seen.has(value) && seen.add(value))
    .slice(0, HINT_LIMIT);
}
