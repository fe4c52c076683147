import { type AwsKmsOptions, createAwsKmsKeyProvider } from './aws-kms.js';
import { type AzureKeyVaultOptions, createAzureKeyVaultKeyProvider } from './azure-key-vault.js';
import { type GcpKmsOptions, createGcpKmsKeyProvider } from './gcp-kms.js';
import { type KeyProvider, KeyProviderError, type KeyProviderName } from './key-provider.js';
import { type LocalKeyOptions, createLocalKeyProvider } from './local.js';
import { type VaultTransitOptions, createVaultTransitKeyProvider } from './vault-transit.js';

/** Each provider that may be met, and the one to wrap by. What is left out can't unwrap what it once wrapped. */
export interface KeyProviderOptions {
  /** TRIBUTARY_KEY_PROVIDER. */
  readonly current: KeyProviderName;
  readonly local?: LocalKeyOptions | undefined;
  readonly awsKms?: AwsKmsOptions | undefined;
  readonly gcpKms?: GcpKmsOptions | undefined;
  readonly azureKeyVault?: AzureKeyVaultOptions | undefined;
  readonly vaultTransit?: VaultTransitOptions | undefined;
}

/** Every provider that is configured. Its client library is loaded when it first wraps or unwraps. */
export interface KeyProviders {
  /** Wraps new data keys. */
  readonly current: KeyProvider;
  /** Whoever wrapped a key ({@link WrappedKey.provider}). Throws {@link KeyProviderError} where it is not configured. */
  of(name: KeyProviderName): KeyProvider;
  close(): Promise<void>;
}

/** Throws {@link KeyProviderError} where the current one is not configured. */
export function createKeyProviders(options: KeyProviderOptions): KeyProviders {
  const providers = configured(options);

  function of(name: KeyProviderName): KeyProvider {
    const provider = providers.find((candidate) => candidate.name === name);
    if (provider) return provider;
    throw new KeyProviderError(
      'missing',
      `Data keys are wrapped by ${name}, which is not configured. Set ${variables[name]}.`,
    );
  }

  return {
    current: of(options.current),
    of,
    async close() {
      await Promise.all(providers.map((provider) => provider.close()));
    },
  };
}

function configured({
  local,
  awsKms,
  gcpKms,
  azureKeyVault,
  vaultTransit,
}: KeyProviderOptions): readonly KeyProvider[] {
  return [
    local && createLocalKeyProvider(local),
    awsKms && createAwsKmsKeyProvider(awsKms),
    gcpKms && createGcpKmsKeyProvider(gcpKms),
    azureKeyVault && createAzureKeyVaultKeyProvider(azureKeyVault),
    vaultTransit && createVaultTransitKeyProvider(vaultTransit),
  ].filter((provider) => provider !== undefined);
}

/** Without which a provider is not configured. */
const variables: Readonly<Record<KeyProviderName, string>> = {
  local: 'TRIBUTARY_MASTER_KEY',
  'aws-kms': 'TRIBUTARY_AWS_KMS_KEY (and AWS_REGION and credentials, which the client finds by itself)',
  'gcp-kms': 'TRIBUTARY_GCP_KMS_KEY (and GOOGLE_APPLICATION_CREDENTIALS outside Google Cloud)',
  'azure-key-vault': 'TRIBUTARY_AZURE_KEY (and AZURE_* outside Azure)',
  'vault-transit': 'TRIBUTARY_VAULT_TRANSIT_KEY, VAULT_ADDR and VAULT_TOKEN',
};
