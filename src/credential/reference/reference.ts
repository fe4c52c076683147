import { SecretReferenceError } from './error.js';
import { type Grammar, type Scheme, grammars, isSegment, splitPath, splitScheme } from './grammar.js';

/** Where a secret lies. */
export interface SecretLocation {
  readonly scheme: Scheme;
  /** Decoded, at least one. Without the version, which patterns don't look at. */
  readonly path: readonly string[];
  readonly version?: string | undefined;
  /** AWS only: AWSCURRENT, AWSPREVIOUS or a label of one's own. */
  readonly stage?: string | undefined;
}

/** A reference taken apart: `<scheme>://<path>[?<parameter>=<value>][#<field>]`. */
export interface Reference {
  readonly location: SecretLocation;
  /** Which part of a secret that is a JSON object, or a map in Vault. */
  readonly field?: string | undefined;
}

/** Whether a credential's field holds a reference and not the secret itself. */
export function isReference(text: string): boolean {
  return splitScheme(text) !== undefined;
}

/** Throws SecretReferenceError, `malformed`, for whatever could be read in two ways. */
export function parseReference(text: string): Reference {
  const { scheme, rest } = splitScheme(text) ?? {};
  if (!scheme || rest === undefined) throw malformed('It begins with no known scheme');
  const grammar = grammars[scheme];
  const { path: rawPath, query, fragment } = splitRest(rest);
  const segments = splitPath(scheme, rawPath).map(decode);
  if (!segments.every((segment, index) => isSegment(scheme, segment, index))) {
    throw malformed(
      'A part of its path is empty, `.` or `..`, or has a character that is not allowed',
      grammar,
    );
  }
  const field = fragment === undefined ? undefined : toField(fragment);
  if (field === undefined && grammar.needsField) throw malformed('It names no field', grammar);
  return { location: { ...toLocation(scheme, segments), ...toParameters(query, grammar) }, field };
}

/** Only the first `?` and `#` divide. What else of them there is has to fit where it lands, or be refused. */
function splitRest(rest: string): {
  path: string;
  query?: string | undefined;
  fragment?: string | undefined;
} {
  const [, path = '', query, fragment] = /^([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(rest) ?? [];
  return { path, query, fragment };
}

function toLocation(scheme: Scheme, segments: readonly string[]): SecretLocation {
  const grammar = grammars[scheme];
  const names = grammar.ignoresCase ? segments.map((segment) => segment.toLowerCase()) : segments;
  const match = grammar.path.exec(names.join('/'));
  if (!match) throw malformed('Its path has not the right form', grammar);
  const { name, version } = match.groups ?? {};
  return { scheme, path: name === undefined ? names : name.split('/'), version };
}

/** One parameter at most: no scheme has two that make sense together. */
function toParameters(query: string | undefined, grammar: Grammar): { version?: string; stage?: string } {
  if (query === undefined) return {};
  const [, name = '', value = ''] = /^([a-z]+)=([^&]*)$/.exec(query) ?? [];
  const isKnown = Object.hasOwn(grammar.parameters, name) && grammar.parameters[name]?.test(decode(value));
  if (!isKnown) throw malformed('What follows `?` is not allowed there', grammar);
  return { [name]: decode(value) };
}

function toField(fragment: string): string {
  const field = decode(fragment);
  if (field === '' || /\p{C}/u.test(field)) throw malformed('What follows `#` is not the name of a field');
  return field;
}

/** Once, so that `%252e` stays what it is, and is then refused for its `%`. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw malformed(
      'A `%` in it is not followed by the code of a character (write `%25` for the sign itself)',
    );
  }
}

function malformed(problem: string, grammar?: Grammar): SecretReferenceError {
  const forms = grammar ? [grammar] : Object.values(grammars);
  return new SecretReferenceError(
    'malformed',
    `The reference can’t be read. ${problem}. It should be ${forms.map(({ form }) => form).join(', ')}`,
  );
}
