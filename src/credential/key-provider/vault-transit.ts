import { HttpError } from '../../outbound/client.js';
import { type HashicorpVault, HashicorpVaultError } from '../hashicorp-vault.js';
import { bytesOfName } from './aes-gcm.js';
import type { KeyProvider } from './key-provider.js';
import {
  type KeyService,
  type Operation,
  UNREADABLE,
  type Verdict,
  callService,
  notAnAnswer,
  requireConfigured,
  requireDataKey,
} from './service.js';

export interface VaultTransitOptions {
  readonly vault: HashicorpVault;
  /** Mount and key, `transit/tributary`: TRIBUTARY_VAULT_TRANSIT_KEY. */
  readonly key: string;
  /** Only unwrap: TRIBUTARY_VAULT_TRANSIT_KEY_PREVIOUS. */
  readonly previousKeys?: readonly string[] | undefined;
  readonly deadlineMs?: number | undefined;
}

/**
 * Wraps by Vault's transit engine, with the data key's name as associated data, under a key of an AEAD type
 * (aes256-gcm96 is the default). A keyId is `<mount>/<key>:v<version>`.
 */
export function createVaultTransitKeyProvider(options: VaultTransitOptions): KeyProvider {
  const { vault, key: keyPath, previousKeys = [], deadlineMs } = options;
  const service: KeyService = { title: 'HashiCorp Vault', deadlineMs, judge };
  return {
    name: 'vault-transit',
    wrap: (key, name) =>
      callService(service, 'wrap', async () => {
        const { ciphertext } = toFields(
          await vault.call('POST', pathOf(keyPath, 'encrypt'), {
            plaintext: key.toString('base64'),
            associated_data: bytesOfName(name).toString('base64'),
          }),
        );
        const version = /^vault:(v\d+):./.exec(ciphertext ?? '')?.[1];
        if (!ciphertext || !version) throw notAnAnswer(service);
        return {
          provider: 'vault-transit',
          keyId: `${keyPath}:${version}`,
          wrapped: Buffer.from(ciphertext),
        };
      }),
    async unwrap({ keyId, wrapped }, name) {
      const wrappedBy = requireConfigured(
        service,
        keyId.replace(/:v\d+$/, ''),
        [keyPath, ...previousKeys],
        'TRIBUTARY_VAULT_TRANSIT_KEY_PREVIOUS',
      );
      return callService(service, 'unwrap', async () => {
        const { plaintext } = toFields(
          await vault.call('POST', pathOf(wrappedBy, 'decrypt'), {
            ciphertext: wrapped.toString(),
            associated_data: bytesOfName(name).toString('base64'),
          }),
        );
        if (!plaintext) throw notAnAnswer(service);
        return requireDataKey(service, Buffer.from(plaintext, 'base64'));
      });
    },
    // The client is its caller's.
    async close() {},
  };
}

function pathOf(keyPath: string, verb: 'encrypt' | 'decrypt'): string {
  const nameStart = keyPath.lastIndexOf('/') + 1;
  return `${keyPath.slice(0, nameStart)}${verb}/${keyPath.slice(nameStart)}`;
}

function toFields(data: unknown): { readonly ciphertext?: string; readonly plaintext?: string } {
  const fields = Object.entries(data ?? {}).filter(([, value]) => typeof value === 'string');
  return Object.fromEntries(fields);
}

const UNAVAILABLE: Verdict = [
  'unavailable',
  'no usable answer. Look at `vault status`; a sealed Vault has to be unsealed.',
];

function judge(error: unknown, operation: Operation): Verdict | undefined {
  if (error instanceof HttpError) {
    return error.kind === 'refused' || error.kind === 'invalid'
      ? ['denied', 'this address or token may not be used.']
      : UNAVAILABLE;
  }
  if (!(error instanceof HashicorpVaultError)) return undefined;
  if (error.status === 400) return judgeRequest(error, operation);
  return verdicts[error.status] ?? UNAVAILABLE;
}

/** https://developer.hashicorp.com/vault/api-docs#http-status-codes */
const verdicts: Readonly<Record<number, Verdict>> = {
  401: ['denied', 'the token was refused. Renew VAULT_TOKEN.'],
  403: [
    'denied',
    'the token has expired, or may not update the encrypt and decrypt paths of the key; Vault also says so where the key does not exist. Check VAULT_TOKEN and its policy, VAULT_NAMESPACE and TRIBUTARY_VAULT_TRANSIT_KEY.',
  ],
  404: [
    'missing',
    'there is no transit engine at this path. Check TRIBUTARY_VAULT_TRANSIT_KEY and VAULT_NAMESPACE.',
  ],
  429: [
    'throttled',
    'too many requests for the rate limit quota. Raise it, or give this mount one of its own.',
  ],
};

/** Vault answers 400 for whatever the engine has against it, and only the text tells. */
function judgeRequest({ message, errors }: HashicorpVaultError, operation: Operation): Verdict {
  if (errors.length === 0) return UNAVAILABLE;
  if (/key not found|could not be found/i.test(message)) {
    return ['missing', 'there is no such key. Check TRIBUTARY_VAULT_TRANSIT_KEY.'];
  }
  if (/disallowed by policy/i.test(message)) {
    return ['missing', 'this version of the key may not decrypt any more. Lower its min_decryption_version.'];
  }
  if (operation === 'unwrap') return ['unreadable', UNREADABLE];
  return [
    'missing',
    'the key is not fit. It has to be of an AEAD type such as aes256-gcm96, and not derived.',
  ];
}
