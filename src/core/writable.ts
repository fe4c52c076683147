import { isObject } from '../connector/index.js';
import { invalid, isLikeName } from './schema.js';

/** Deeper than any provider asks for, and far from where recursion ends. */
const MAX_DEPTH = 100;

interface Problem {
  readonly field: string;
  readonly problem: string;
}

/**
 * What JSON can carry and its canonical form (RFC 8785) can't: 1e999, which is read as infinity, whole numbers of more
 * than 53 bits, which are read as others near to them, and half of a surrogate pair, which is no character. Throws INVALID_INPUT naming every such field as `prefix.field`; nothing is replaced, as
 * what is sent must be what was asked for. Never quotes a value.
 */
export function requireWritable(value: object, prefix: string): void {
  const problems = [...problemsOf(value, prefix, 0)];
  if (problems.length > 0) throw invalid(problems);
}

function* problemsOf(value: unknown, field: string, depth: number): Generator<Problem> {
  if (depth > MAX_DEPTH) {
    yield { field, problem: `must be nested at most ${MAX_DEPTH} levels deep` };
  } else if (typeof value === 'number' && !Number.isFinite(value)) {
    yield { field, problem: 'must be a number that is not too large' };
  } else if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    yield {
      field,
      problem: `must be at most ${Number.MAX_SAFE_INTEGER} either way; send more digits as text`,
    };
  } else if (typeof value === 'string' && !value.isWellFormed()) {
    yield { field, problem: 'must be Unicode text, with no half of a surrogate pair' };
  } else if (isObject(value) || Array.isArray(value)) {
    yield* problemsWithin(value, field, depth);
  }
}

function* problemsWithin(value: object, field: string, depth: number): Generator<Problem> {
  for (const [key, inner] of Object.entries(value)) {
    const name = `${field}.${isLikeName(key) ? key : '…'}`;
    if (!key.isWellFormed()) yield { field: name, problem: 'must have a name that is Unicode text' };
    yield* problemsOf(inner, name, depth + 1);
  }
}
