import { createHash } from 'node:crypto';
import { clean } from './fields.js';
import { textAt } from './json.js';

const PLACE = /\{([^}]+)\}/;

/** A text with places for values of a body: `issue:{issue.id}:created`. */
export interface Template {
  /** What it reads, as dotted paths. */
  readonly paths: readonly string[];
  /** Undefined when a value is not there: half an identity would make two things one. */
  fill(body: unknown): string | undefined;
}

export function createTemplate(template: string): Template {
  // Split by a group, texts and paths take turns.
  const pieces = template.split(PLACE);
  const paths = pieces.filter((_, index) => index % 2 === 1);
  const texts = pieces.filter((_, index) => index % 2 === 0);
  const split = paths.map((path) => path.split('.'));
  return {
    paths,
    fill(body) {
      const values = split.map((path) => textAt(body, ...path));
      if (values.includes(undefined)) return undefined;
      return clean(texts.map((text, index) => text + (values[index] ?? '')).join(''));
    },
  };
}

const IDENTITY_LIMIT = 255;

/** An identity of any length in 255 units: a long one ends in the hash of the whole. */
export function bounded(identity: string): string {
  if (identity.length <= IDENTITY_LIMIT) return identity;
  const hash = hashOf(identity);
  return clean(`${identity.slice(0, IDENTITY_LIMIT - hash.length - 1)}:${hash}`);
}

/** SHA-256 in hex. */
export const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');
