import type { AuthMethod, Connector, Credential, JsonSchema } from '../connector/index.js';
import { TributaryError, invalidInput } from '../core/errors.js';
import { requireValid } from '../core/schema.js';
import { SecretReferenceError } from '../credential/reference/error.js';
import { isReference } from '../credential/reference/reference.js';
import type { SecretReferences } from '../credential/reference/references.js';
import { type Fields, resolveFields } from './material.js';

/** A credential that is given: as it will be stored, and as it is used. */
export interface GivenCredential {
  /** Secrets, or references to them. */
  readonly fields: Fields;
  readonly credential: Credential;
}

const clientSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['clientId', 'clientSecret'],
  properties: {
    clientId: { type: 'string', minLength: 1, description: 'Of the app registered with the provider.' },
    clientSecret: { type: 'string', minLength: 1, description: 'Of the same app.' },
  },
};

/** For providers that take RFC 7523 assertions; those with a way of their own say what it needs. */
const serviceAccountSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['issuer', 'privateKey'],
  properties: {
    issuer: { type: 'string', minLength: 1, description: 'The service account.' },
    privateKey: { type: 'string', minLength: 1, description: 'Its private key, in PEM.' },
    subject: { type: 'string', minLength: 1, description: 'The user it acts for; left out: itself.' },
    keyId: { type: 'string', minLength: 1, description: 'The key’s id, where the provider wants it.' },
    algorithm: { type: 'string', enum: ['RS256', 'ES256'], description: 'Left out: RS256.' },
  },
};

const standardSchemas: Readonly<Partial<Record<AuthMethod, JsonSchema>>> = {
  OAUTH2_CLIENT_CREDENTIALS: clientSchema,
  SERVICE_ACCOUNT: serviceAccountSchema,
};

const RETRY_SECONDS = 5;

/** What a credential of this method consists of: the provider's own, or the same for every provider where an RFC says it. */
export function credentialSchemaOf({ manifest }: Connector, method: AuthMethod): JsonSchema {
  return manifest.credentialSchemas?.[method] ?? standardSchemas[method] ?? manifest.credentialSchema;
}

/** Whether a credential of this method has other fields than the manifest's one schema. */
export function hasOwnSchema(connector: Connector, method: AuthMethod): boolean {
  return credentialSchemaOf(connector, method) !== connector.manifest.credentialSchema;
}

/**
 * Checks a credential: its references by following them, then its values by the schema. Throws INVALID_INPUT naming
 * the field, or SECRET_STORE_UNAVAILABLE when a reference could not be followed just now.
 */
export async function requireCredential(
  references: SecretReferences,
  tenantId: string,
  schema: JsonSchema,
  given: Readonly<Record<string, unknown>>,
): Promise<GivenCredential> {
  const fields = expand(schema, given);
  // Before anything is looked up: what is no text can't be a reference, and the schema says what it should have been.
  const texts = Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, string] => typeof field[1] === 'string'),
  );
  const credential: Record<string, Credential[string]> = {};
  for (const [name, value] of Object.entries(texts)) {
    Object.assign(credential, await follow(references, tenantId, name, value));
  }
  const values = Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, credential[name]?.reveal() ?? value]),
  );
  requireValid(schema, values, 'credential');
  return { fields: texts, credential };
}

async function follow(
  references: SecretReferences,
  tenantId: string,
  name: string,
  value: string,
): Promise<Credential> {
  try {
    // Anew: whoever gives a reference has often just changed what it refers to.
    return await resolveFields(references, tenantId, { [name]: value }, true);
  } catch (error) {
    if (!(error instanceof SecretReferenceError)) throw error;
    if (error.kind === 'unavailable') {
      throw new TributaryError('SECRET_STORE_UNAVAILABLE', error.message, {
        retry_after_seconds: RETRY_SECONDS,
      });
    }
    throw invalidInput(`credential.${name}`, error.message);
  }
}

/**
 * `{ reference }` stands for the whole credential: for its one field, or for an object in which every required field
 * is found by its name.
 */
function expand(
  schema: JsonSchema,
  given: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const { reference, ...others } = given;
  const isWhole = typeof reference === 'string' && isReference(reference) && Object.keys(others).length === 0;
  const { required = [], properties = {} } = schema as {
    readonly required?: readonly string[];
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  if (!isWhole || 'reference' in properties) return given;
  if (required.length <= 1 || reference.includes('#')) {
    return { [required[0] ?? Object.keys(properties)[0] ?? 'reference']: reference };
  }
  return Object.fromEntries(required.map((name) => [name, `${reference}#${name}`]));
}
