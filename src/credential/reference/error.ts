/**
 * Why a reference gave no secret. `malformed` (not a reference as docs/secret-references.md has it), `forbidden` (no
 * pattern of the operator covers it for this tenant) and `missing` (nothing usable lies there) are for the tenant's
 * admin to mend; `denied` (the store refuses this server) and `unavailable` (no usable answer) for the operator, the
 * latter often by itself.
 */
export type SecretReferenceErrorKind = 'malformed' | 'forbidden' | 'missing' | 'denied' | 'unavailable';

/**
 * The message is for the tenant's admin: what to do, and never a word of the secret or of another tenant. It repeats
 * neither the reference, which may be a mistyped secret, nor the store's own text; there is no `cause` for that reason.
 */
export class SecretReferenceError extends Error {
  override readonly name = 'SecretReferenceError';
  readonly kind: SecretReferenceErrorKind;

  constructor(kind: SecretReferenceErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** `why` in our own words or numbers, such as `HTTP 503`: never what the store wrote. */
export function unavailable(store: string, why: string): SecretReferenceError {
  return new SecretReferenceError(
    'unavailable',
    `${store} gave no usable answer (${why}). Try again shortly; if it stays so, tell the operator of this server.`,
  );
}

/** The store knows this server and refuses, or does not know it at all. */
export function denied(store: string, remedy: string): SecretReferenceError {
  return new SecretReferenceError('denied', `${store} does not let this server read the secret. ${remedy}`);
}
