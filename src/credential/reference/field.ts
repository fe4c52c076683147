import { Secret } from '../../core/secret.js';
import { SecretReferenceError } from './error.js';

/** The whole secret, or one field of it as a JSON object. Throws SecretReferenceError, `missing`. */
export function pickField(whole: Secret, field: string | undefined): Secret {
  if (field === undefined) return whole;
  const fields = parseObject(whole.reveal());
  if (!fields)
    throw missing('The secret is not a JSON object, so it has no fields: leave out what follows `#`');
  if (!Object.hasOwn(fields, field))
    throw missing('The secret has no field of this name: see what follows `#`');
  const value = fields[field];
  if (typeof value !== 'string' || value === '') {
    throw missing('The field is empty or not text: store it as a JSON string');
  }
  return new Secret(value);
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    // Not rethrown: the message of a SyntaxError quotes the text.
    return undefined;
  }
}

function missing(problem: string): SecretReferenceError {
  return new SecretReferenceError('missing', `${problem}.`);
}
