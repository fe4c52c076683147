import type { Connector, Credential, ProviderContext } from '../connector/index.js';
import type { Db } from '../core/db.js';
import { Secret } from '../core/secret.js';
import type { Vault } from '../credential/vault.js';
import type { ProviderGate } from '../outbound/provider.js';
import { type Connection, CredentialRecord } from './connection.entity.js';

/** A connection made usable: its credential unsealed for the moment, behind the one way out. */
export interface OpenConnection {
  readonly context: ProviderContext;
  /** Of the credential in use, to tell whether it was replaced meanwhile. */
  readonly credentialVersion: number;
}

export interface OpenDeps {
  readonly db: Db;
  readonly vault: Vault;
  readonly gate: ProviderGate;
}

/** `candidate`: a credential that is only tried, in place of the stored one. */
export type Opener = (
  connection: Connection,
  connector: Connector,
  correlationId: string,
  candidate?: Credential,
) => Promise<OpenConnection>;

export function createOpener({ db, vault, gate }: OpenDeps): Opener {
  return async (connection, connector, correlationId, candidate) => {
    const { id, tenantId, settings } = connection;
    const record = await db.for(connection).findOneOrFail(CredentialRecord, { connectionId: id });
    const credential = candidate ?? unseal(vault, record);
    return {
      context: gate.contextFor({
        tenantId,
        connectionId: id,
        connector,
        credential,
        settings,
        correlationId,
      }),
      credentialVersion: record.version,
    };
  };
}

function unseal(vault: Vault, { sealed, tenantId, connectionId }: CredentialRecord): Credential {
  const json = vault.open(sealed, { tenantId, id: connectionId, field: 'credential' }).toString('utf8');
  const fields = Object.entries(JSON.parse(json) as Record<string, string>);
  return Object.fromEntries(fields.map(([name, value]) => [name, new Secret(value)]));
}
