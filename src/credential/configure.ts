import type { Config } from '../config.js';
import type { Clock } from '../core/clock.js';
import { Secret } from '../core/secret.js';
import type { HttpClient } from '../outbound/client.js';
import type { KeyWrapper } from './data-keys.js';
import { type HashicorpVault, createHashicorpVault } from './hashicorp-vault.js';
import { createKeyProviders } from './key-provider/index.js';
import { readMasterKey } from './master-key.js';
import { parseReferencePatterns } from './reference/allow-list.js';
import { type SecretReferences, createSecretReferences } from './reference/references.js';

/** The services outside that hold keys and secrets, as the configuration names them. */
export interface SecretServices {
  readonly wrapper: KeyWrapper;
  readonly references: SecretReferences;
  close(): Promise<void>;
}

/**
 * Connects to nothing yet: each service is called, and its library loaded, when it is first needed. `client` calls
 * addresses that the operator chose, private ones included. Throws ConfigError.
 */
export function createSecretServices(config: Config, client: HttpClient, clock?: Clock): SecretServices {
  const vault = hashicorpVault(config, client);
  const providers = createKeyProviders({
    current: config.TRIBUTARY_KEY_PROVIDER,
    // Not made for those who keep their keys elsewhere; but kept for as long as it may have wrapped something.
    ...((config.TRIBUTARY_KEY_PROVIDER === 'local' || config.TRIBUTARY_MASTER_KEY) && {
      local: {
        masterKey: readMasterKey(config),
        previousMasterKeys: config.TRIBUTARY_MASTER_KEY_PREVIOUS.map((key) => Buffer.from(key, 'base64')),
      },
    }),
    awsKms: named(config.TRIBUTARY_AWS_KMS_KEY, (key) => ({ key })),
    gcpKms: named(config.TRIBUTARY_GCP_KMS_KEY, (key) => ({
      key,
      previousKeys: config.TRIBUTARY_GCP_KMS_KEY_PREVIOUS,
    })),
    azureKeyVault: named(config.TRIBUTARY_AZURE_KEY, (key) => ({
      key,
      previousKeys: config.TRIBUTARY_AZURE_KEY_PREVIOUS,
    })),
    vaultTransit:
      vault &&
      named(config.TRIBUTARY_VAULT_TRANSIT_KEY, (key) => ({
        vault,
        key,
        previousKeys: config.TRIBUTARY_VAULT_TRANSIT_KEY_PREVIOUS,
      })),
  });
  const references = createSecretReferences({
    patterns: parseReferencePatterns(config.TRIBUTARY_SECRET_REFERENCES),
    environment: config.TRIBUTARY_ENVIRONMENT,
    vault,
    variables: config.secretVariables,
    clock,
  });
  return {
    wrapper: {
      wrap: (key, name) => providers.current.wrap(key, name),
      unwrap: async (wrapped, name) => providers.of(wrapped.provider).unwrap(wrapped, name),
    },
    references,
    async close() {
      await Promise.all([providers.close(), references.close()]);
    },
  };
}

function hashicorpVault(
  { VAULT_ADDR, VAULT_TOKEN, VAULT_NAMESPACE }: Config,
  client: HttpClient,
): HashicorpVault | undefined {
  if (!VAULT_ADDR || !VAULT_TOKEN) return undefined;
  const token = new Secret(VAULT_TOKEN);
  return createHashicorpVault({ client, address: VAULT_ADDR, token, namespace: VAULT_NAMESPACE });
}

function named<T>(name: string | undefined, make: (name: string) => T): T | undefined {
  return name === undefined ? undefined : make(name);
}
