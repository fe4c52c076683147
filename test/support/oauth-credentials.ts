import { randomUUID } from 'node:crypto';
import type { TokenSet } from '../../src/connector/index.js';
import { Secret } from '../../src/core/secret.js';
import type { CredentialKey } from '../../src/credential/oauth/lease.js';
import type { CredentialPlace, Sealer } from '../../src/credential/oauth/refresh.js';
import { toFields } from '../../src/credential/oauth/tokens.js';
import type { TestDatabase } from './database.js';

/** Hides nothing, but opens only in the place it was sealed for, as the vault does. */
export const plainSealer: Sealer = {
  seal: (plaintext, place) => Promise.resolve(Buffer.from(JSON.stringify([nameOf(place), plaintext]))),
  openSecret(sealed, place) {
    const [name, plaintext] = JSON.parse(Buffer.from(sealed).toString('utf8')) as [string, string];
    if (name !== nameOf(place)) throw new Error(`sealed for ${name}, opened for ${nameOf(place)}`);
    return Promise.resolve(new Secret(plaintext));
  },
};

function nameOf({ tenantId, id, field, version }: CredentialPlace): string {
  return [tenantId, id, field, version].join('/');
}

/** As the table has it. */
export interface CredentialRow {
  readonly version: number;
  readonly expires_at: Date | null;
  readonly refresh_owner: string | null;
  readonly refresh_until: Date | null;
  readonly refresh_sent_at: Date | null;
  readonly refresh_failures: number;
  readonly refresh_after: Date | null;
}

/** An active OAuth connection with these tokens as version 1. */
export async function addConnection(
  database: TestDatabase,
  tokens: TokenSet,
  authMethod = 'OAUTH2',
): Promise<CredentialKey> {
  const key = { tenantId: 'acme', connectionId: randomUUID() };
  await database.query(
    `insert into connections (id, tenant_id, provider_id, name, status, auth_method, capabilities, settings, tags,
                              created_at, updated_at)
     values ($1, $2, 'example', $1::uuid::text, 'ACTIVE', $3, '{}', '{}', '{}', now(), now())`,
    [key.connectionId, key.tenantId, authMethod],
  );
  await database.query(
    `insert into credentials (connection_id, tenant_id, version, sealed, created_at)
     values ($1, $2, 0, '', now())`,
    [key.connectionId, key.tenantId],
  );
  await storeTokens(database, key, tokens);
  return key;
}

/** The next version, as a new authorization stores it. Answers its number. */
export async function storeTokens(
  database: TestDatabase,
  key: CredentialKey,
  tokens: TokenSet,
): Promise<number> {
  const version = (await readCredential(database, key)).version + 1;
  const place = { tenantId: key.tenantId, id: key.connectionId, field: 'credential', version } as const;
  const fields = { client_note: 'kept', ...toFields(tokens) };
  await database.query(
    `update credentials set version = $2, sealed = $3, created_at = now(), expires_at = $4 where connection_id = $1`,
    [
      key.connectionId,
      version,
      await plainSealer.seal(JSON.stringify(fields), place),
      tokens.expiresAt ?? null,
    ],
  );
  return version;
}

/** What the row says, and what is sealed in it. */
export async function readCredential(
  database: TestDatabase,
  { tenantId, connectionId: id }: CredentialKey,
): Promise<CredentialRow & { readonly fields: Readonly<Record<string, string>> }> {
  const [row] = await database.query<CredentialRow & { readonly sealed: Buffer }>(
    'select * from credentials where connection_id = $1',
    [id],
  );
  if (!row) throw new Error(`there is no credential of ${id}`);
  if (row.sealed.length === 0) return { ...row, fields: {} };
  const place = { tenantId, id, field: 'credential', version: row.version } as const;
  const plaintext = await plainSealer.openSecret(row.sealed, place);
  return { ...row, fields: JSON.parse(plaintext.reveal()) as Record<string, string> };
}

/** Ends the access token now. */
export async function expire(database: TestDatabase, { connectionId }: CredentialKey): Promise<void> {
  await database.query(
    `update credentials set expires_at = now() - interval '1 second' where connection_id = $1`,
    [connectionId],
  );
}
