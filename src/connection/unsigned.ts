import type { Connector, Credential, ProviderContext } from '../connector/index.js';
import type { ProviderGate } from '../outbound/provider.js';
import type { Connection } from './connection.entity.js';

/**
 * The one way out without our signature: for requests by which an app proves itself. `secrets`: what such a request
 * carries, so that a provider that repeats it does not get it into a message.
 */
export function unsignedContext(
  gate: ProviderGate,
  { id: connectionId, tenantId, settings }: Pick<Connection, 'id' | 'tenantId' | 'settings'>,
  connector: Connector,
  correlationId: string,
  secrets: Credential,
  mustGo = false,
): ProviderContext {
  const unsigned = { ...connector, auth: { ...connector.auth, sign: () => ({}) } };
  return gate.contextFor({
    tenantId,
    connectionId,
    connector: unsigned,
    credential: secrets,
    settings,
    correlationId,
    operation: mustGo ? 'revoke' : 'authorize',
    mustGo,
  });
}
