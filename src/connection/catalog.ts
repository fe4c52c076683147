import { type Category, type Capability, type Connector, capabilitiesOf } from '../connector/index.js';
import { TributaryError } from '../core/errors.js';

/** The connectors of this deployment, by provider. */
export interface ProviderCatalog {
  list(filter?: { readonly category?: Category; readonly capability?: Capability }): readonly Connector[];
  find(providerId: string): Connector | undefined;
  /** Throws NOT_FOUND, naming the providers there are: the catalogue is no secret. */
  require(providerId: string): Connector;
}

/** Throws at start-up when two connectors claim one id. */
export function createCatalog(connectors: readonly Connector[]): ProviderCatalog {
  const byId = new Map(connectors.map((connector) => [connector.manifest.id, connector]));
  if (byId.size !== connectors.length) throw new Error('Two connectors have the same id.');
  const sorted = [...byId.values()].toSorted((a, b) => a.manifest.name.localeCompare(b.manifest.name));
  return {
    list: ({ category, capability } = {}) =>
      sorted.filter(
        (connector) =>
          (!category || connector.manifest.category === category) &&
          (!capability || capabilitiesOf(connector).includes(capability)),
      ),
    find: (providerId) => byId.get(providerId),
    require(providerId) {
      const connector = byId.get(providerId);
      if (connector) return connector;
      const known = sorted.map(({ manifest }) => manifest.id).join(', ');
      throw new TributaryError('NOT_FOUND', `There is no such provider. There are: ${known}.`);
    },
  };
}
