import { randomBytes } from 'node:crypto';
import type { Agent } from 'node:https';
import type { TokenCredential } from '@azure/identity';
import type { CryptographyClient } from '@azure/keyvault-keys';
import { SEALED_KEY_BYTES, openKey, sealKey } from './aes-gcm.js';
import { DATA_KEY_BYTES, type KeyProvider, KeyProviderError } from './key-provider.js';
import { lazily } from './lazy.js';
import {
  type KeyService,
  type Operation,
  UNREADABLE,
  type Verdict,
  callService,
  notAnAnswer,
  requireConfigured,
} from './service.js';

export interface AzureKeyVaultOptions {
  /** An RSA key's identifier without a version, `https://<vault>.vault.azure.net/keys/<name>`: TRIBUTARY_AZURE_KEY. */
  readonly key: string;
  /** Only unwrap: TRIBUTARY_AZURE_KEY_PREVIOUS. */
  readonly previousKeys?: readonly string[] | undefined;
  /** Default: @azure/identity's DefaultAzureCredential, which reads AZURE_* and finds managed identities. */
  readonly credential?: TokenCredential | undefined;
  /** For private endpoints and certificate authorities. */
  readonly agent?: Agent | undefined;
  readonly deadlineMs?: number | undefined;
}

const ALGORITHM = 'RSA-OAEP-256';

/**
 * Key Vault's RSA keys bind no name to what they wrap. So the data key is sealed, bound to its name, under an AES key
 * of its own, and that one is wrapped by Key Vault: the sealed data key (61 bytes), then the wrapped AES key. A keyId
 * is the identifier of the RSA key's version.
 */
export function createAzureKeyVaultKeyProvider(options: AzureKeyVaultOptions): KeyProvider {
  const { key: keyUrl, previousKeys = [], deadlineMs } = options;
  const service: KeyService = { title: 'Azure Key Vault', deadlineMs, judge };
  const vault = lazily(() => openVault(options));
  return {
    name: 'azure-key-vault',
    async wrap(key, name) {
      const { newestVersion, cryptography } = await vault.get();
      const sealingKey = randomBytes(DATA_KEY_BYTES);
      return callService(service, 'wrap', async (abortSignal) => {
        const keyId = await newestVersion(abortSignal);
        if (!keyId?.startsWith(`${keyUrl}/`)) throw notAnAnswer(service);
        const { result } = await cryptography(keyId).wrapKey(ALGORITHM, sealingKey, { abortSignal });
        if (!result?.length) throw notAnAnswer(service);
        const wrapped = Buffer.concat([sealKey(sealingKey, key, name), result]);
        return { provider: 'azure-key-vault', keyId, wrapped };
      });
    },
    async unwrap({ keyId, wrapped }, name) {
      const wrappedBy = keyId.replace(/\/[^/]+$/, '');
      requireConfigured(service, wrappedBy, [keyUrl, ...previousKeys], 'TRIBUTARY_AZURE_KEY_PREVIOUS');
      const { cryptography } = await vault.get();
      const wrappedSealingKey = wrapped.subarray(SEALED_KEY_BYTES);
      const sealingKey = await callService(service, 'unwrap', async (abortSignal) => {
        const { result } = await cryptography(keyId).unwrapKey(ALGORITHM, wrappedSealingKey, { abortSignal });
        if (!result?.length) throw notAnAnswer(service);
        return Buffer.from(result);
      });
      try {
        return openKey(sealingKey, wrapped.subarray(0, SEALED_KEY_BYTES), name);
      } catch (cause) {
        throw new KeyProviderError('unreadable', `${service.title}: ${UNREADABLE}`, { cause });
      }
    },
    // Its connections are Node's and close when idle.
    async close() {},
  };
}

interface OpenVault {
  /** The identifier of the newest version of the key. */
  newestVersion(abortSignal: AbortSignal): Promise<string | undefined>;
  cryptography(keyId: string): CryptographyClient;
}

async function openVault({ key, credential, agent }: AzureKeyVaultOptions): Promise<OpenVault> {
  const { KeyClient, CryptographyClient } = await import('@azure/keyvault-keys');
  const identity = credential ?? (await openIdentity());
  const { vaultUrl, name } = partsOf(key);
  const pipeline = () => ({ retryOptions: { maxRetries: 0 }, ...(agent && { agent }) });
  const keys = new KeyClient(vaultUrl, identity, pipeline());
  const clients = new Map<string, CryptographyClient>();

  /**
   * With nothing but a name, the client asks Key Vault for everything. With a whole key it would refuse to unwrap by
   * one that has expired, which Key Vault allows and every rotation needs; with an identifier it fetches the key first.
   */
  function openCryptography(id: string): CryptographyClient {
    const nameOnly = { id, name: partsOf(id).name, properties: partsOf(id) };
    return new CryptographyClient(nameOnly, identity, pipeline());
  }

  return {
    async newestVersion(abortSignal) {
      const { id } = await keys.getKey(name, { abortSignal });
      return id;
    },
    cryptography(keyId) {
      const client = clients.get(keyId) ?? openCryptography(keyId);
      clients.set(keyId, client);
      return client;
    },
  };
}

async function openIdentity(): Promise<TokenCredential> {
  const { DefaultAzureCredential } = await import('@azure/identity');
  return new DefaultAzureCredential();
}

function partsOf(keyUrl: string): { readonly vaultUrl: string; readonly name: string } {
  const { origin, pathname } = new URL(keyUrl);
  return { vaultUrl: origin, name: pathname.split('/')[2] ?? '' };
}

const NO_CREDENTIALS: Verdict = [
  'denied',
  'there are no usable Azure credentials. Set AZURE_TENANT_ID, AZURE_CLIENT_ID and a secret, or give the workload a managed identity.',
];
const NO_PERMISSION: Verdict = [
  'denied',
  'this is not allowed. Give the identity the role “Key Vault Crypto Service Encryption User” on the key, and let the vault’s firewall admit this network.',
];
const NO_USE: Verdict = ['missing', 'the key’s version is disabled, expired or not yet valid. Enable it.'];
const UNAVAILABLE: Verdict = ['unavailable', 'no usable answer; see https://azure.status.microsoft.'];

const STRANGER: Verdict = [
  'denied',
  'this is not a vault that our token may be sent to. Check TRIBUTARY_AZURE_KEY.',
];
const UNFIT: Verdict = [
  'missing',
  'the key is not fit. TRIBUTARY_AZURE_KEY has to be an RSA key that may wrapKey and unwrapKey.',
];
const NO_KEY: Verdict = [
  'missing',
  'there is no such key. Check TRIBUTARY_AZURE_KEY; a deleted key can be recovered.',
];

/** https://learn.microsoft.com/azure/key-vault/general/rest-error-codes */
const verdicts: Readonly<Record<number, Verdict>> = {
  401: NO_CREDENTIALS,
  404: NO_KEY,
  409: NO_KEY,
  429: ['throttled', 'too many requests for the vault’s limits. Use a vault of its own for this key.'],
};
/** A 403 that no permission would mend. */
const UNUSABLE = /KeyDisabled|disabled key|KeyExpired|KeyNotYetValid/i;

/** What @azure/identity throws where it finds no credential or is refused a token. */
const IDENTITY_ERRORS =
  /^(AggregateAuthentication|Authentication|AuthenticationRequired|CredentialUnavailable)Error$/;

/** What the client makes of a refusal. */
interface Refusal {
  readonly statusCode?: number;
  /** Key Vault's own words, where it was Key Vault that refused. */
  readonly details?: { readonly error?: object };
}

function judge(error: unknown, operation: Operation): Verdict | undefined {
  if (!(error instanceof Error)) return undefined;
  if (IDENTITY_ERRORS.test(error.name)) return NO_CREDENTIALS;
  // The client refuses a vault that asks for tokens of another service than Key Vault.
  if (error.message.startsWith('The challenge ')) return STRANGER;
  if (error.name !== 'RestError') return undefined;
  const { statusCode = 0, details } = error as Refusal;
  if (statusCode === 403) return UNUSABLE.test(JSON.stringify(details) ?? '') ? NO_USE : NO_PERMISSION;
  if (statusCode !== 400 || !details?.error) return verdicts[statusCode] ?? UNAVAILABLE;
  return operation === 'unwrap' ? ['unreadable', UNREADABLE] : UNFIT;
}
