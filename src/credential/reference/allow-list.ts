import { ConfigError } from '../../core/errors.js';
import { SecretReferenceError } from './error.js';
import { type Scheme, grammars, isSegment, schemes, splitPath, splitScheme } from './grammar.js';
import type { SecretLocation } from './reference.js';

/** One line of the operator's list, such as `vault://kv/tenants/{tenant}/*`: what a tenant may refer to. */
export interface ReferencePattern {
  /** As the operator wrote it. */
  readonly text: string;
  readonly scheme: Scheme;
  /** Marked `shared:`: the same for every tenant. All others name the tenant. */
  readonly isShared: boolean;
  /** Without the `*`. `{tenant}` stands for the caller's tenant id, and never reaches beyond its segment. */
  readonly segments: readonly string[];
  /** It ends in `*`: one or more segments follow. */
  readonly isOpen: boolean;
}

/** The variable that holds the list. */
export const VARIABLE = 'TRIBUTARY_SECRET_REFERENCES';

const SHARED = 'shared:';
const TENANT = '{tenant}';

/**
 * The operator's list. Throws ConfigError that quotes the wrong pattern, also for two patterns of which the one lets
 * a tenant of a suitable name at what the other gives to another tenant.
 */
export function parseReferencePatterns(list: readonly string[]): ReferencePattern[] {
  const patterns = list.map(parsePattern);
  for (const [index, pattern] of patterns.entries()) {
    const other = patterns.slice(0, index).find((earlier) => canCross(pattern, earlier));
    if (other)
      throw wrong(pattern.text, `together with ${other.text} one tenant could read what is another’s`);
  }
  return patterns;
}

/** Throws SecretReferenceError, `forbidden`, unless a pattern covers the location for this tenant. */
export function requireAllowed(
  patterns: readonly ReferencePattern[],
  location: SecretLocation,
  tenantId: string,
): void {
  if (patterns.some((pattern) => covers(pattern, location, tenantId))) return;
  const own = patterns.filter(({ scheme, isShared }) => isShared || canName(scheme, tenantId));
  const remedy =
    patterns.length === 0
      ? `The operator of this server allows references by listing patterns in ${VARIABLE}; none is listed.`
      : `Allowed are: ${own.map((pattern) => expand(pattern, tenantId)).join(', ') || 'none'}. More can be added by the operator of this server, in ${VARIABLE}.`;
  throw new SecretReferenceError('forbidden', `Your tenant may not use this reference. ${remedy}`);
}

function covers(pattern: ReferencePattern, { scheme, path }: SecretLocation, tenantId: string): boolean {
  const { segments, isOpen, isShared } = pattern;
  if (pattern.scheme !== scheme || !(isShared || canName(scheme, tenantId))) return false;
  const hasLength = isOpen ? path.length > segments.length : path.length === segments.length;
  return hasLength && segments.every((segment, index) => fill(segment, tenantId) === path[index]);
}

/** An id that no segment can hold has no references of its own: nothing is escaped or cut to make it fit. */
function canName(scheme: Scheme, tenantId: string): boolean {
  return grammars[scheme].tenant.test(tenantId);
}

/** With a function, because `$&` in a tenant's id would mean something to replaceAll. */
function fill(segment: string, tenantId: string): string {
  return segment.replaceAll(TENANT, () => tenantId);
}

/** As the tenant's admin would write it. */
function expand({ text }: ReferencePattern, tenantId: string): string {
  return fill(text.replace(SHARED, ''), tenantId);
}

function parsePattern(text: string): ReferencePattern {
  const isShared = text.startsWith(SHARED);
  const { scheme, rest } = splitScheme(isShared ? text.slice(SHARED.length) : text) ?? {};
  if (!scheme || rest === undefined) throw wrong(text, `it should begin with ${schemes.join('://, ')}://`);
  if (isShared && rest.includes(TENANT)) throw wrong(text, `${SHARED} and ${TENANT} contradict each other`);
  if (!isShared && !rest.includes(TENANT)) {
    throw wrong(text, `every tenant could use it: name the tenant with ${TENANT}, or mark it ${SHARED}`);
  }
  return { text, scheme, isShared, ...toSegments(text, scheme, rest) };
}

function toSegments(
  text: string,
  scheme: Scheme,
  rest: string,
): Pick<ReferencePattern, 'segments' | 'isOpen'> {
  if (rest === '*') return { segments: [], isOpen: true };
  const isOpen = rest.endsWith('/*');
  const segments = splitPath(scheme, isOpen ? rest.slice(0, -'/*'.length) : rest);
  const { pattern, form, ignoresCase } = grammars[scheme];
  // The digit stands for a tenant's id: it fits every scheme.
  const isSound = segments.every((segment, index) =>
    isSegment(scheme, segment.replaceAll(TENANT, '0'), index),
  );
  if (!isSound || !pattern.test(rest))
    throw wrong(text, `it does not go with references of the form ${form}`);
  return { segments: ignoresCase ? segments.map((segment) => segment.toLowerCase()) : segments, isOpen };
}

/** Whether some reference could fit both patterns for two different tenants. In doubt, yes. */
function canCross(a: ReferencePattern, b: ReferencePattern): boolean {
  if (a.isShared || b.isShared || a.scheme !== b.scheme || !canHaveOneLength(a, b)) return false;
  const pairs = a.segments.slice(0, b.segments.length).map((left, i) => [left, b.segments[i] ?? ''] as const);
  // The same text around `{tenant}` in the same place: only one tenant's id fits there.
  const namesOneTenant = pairs.some(([left, right]) => left === right && left.includes(TENANT));
  return !namesOneTenant && pairs.every(([left, right]) => canBeEqual(a.scheme, left, right));
}

function canHaveOneLength(a: ReferencePattern, b: ReferencePattern): boolean {
  const [least, most] = [a.segments.length + (a.isOpen ? 1 : 0), b.segments.length + (b.isOpen ? 1 : 0)];
  if (least === most) return true;
  return least < most ? a.isOpen : b.isOpen;
}

function canBeEqual(scheme: Scheme, left: string, right: string): boolean {
  if (!left.includes(TENANT)) return canBe(scheme, right, left);
  if (!right.includes(TENANT)) return canBe(scheme, left, right);
  const [[leftStart, leftEnd], [rightStart, rightEnd]] = [ends(left), ends(right)];
  const startsAlike = leftStart.startsWith(rightStart) || rightStart.startsWith(leftStart);
  return startsAlike && (leftEnd.endsWith(rightEnd) || rightEnd.endsWith(leftEnd));
}

/** Whether some tenant's id turns the segment into this text. */
function canBe(scheme: Scheme, segment: string, text: string): boolean {
  if (!segment.includes(TENANT)) return segment === text;
  const [start, end] = ends(segment);
  if (!text.startsWith(start) || !text.endsWith(end)) return false;
  return canName(scheme, text.slice(start.length, text.length - end.length));
}

/** What stands before the first and after the last `{tenant}`. */
function ends(segment: string): [string, string] {
  const parts = segment.split(TENANT);
  return [parts[0] ?? '', parts.at(-1) ?? ''];
}

function wrong(text: string, problem: string): ConfigError {
  return new ConfigError(`${VARIABLE}: ${text}: ${problem}. See docs/secret-references.md.`);
}
