import { randomBytes } from 'node:crypto';
import { type FakeAnswer, type FakeProvider, type FakeRequest, startFakeProvider } from '../fake-provider.js';
import { decrypt, encrypt } from './cipher.js';

export const fakeVaultToken = 'hvs.fake';
export const fakeVaultKey = 'security/transit/tributary';

/** Vault's transit engine as far as encrypt and decrypt go: https://developer.hashicorp.com/vault/api-docs/secret/transit */
export interface FakeVault {
  readonly server: FakeProvider;
  rotate(): void;
  /** min_decryption_version becomes the newest version. */
  retireOldVersions(): void;
}

export async function startFakeVault(): Promise<FakeVault> {
  const server = await startFakeProvider();
  const versions: Buffer[] = [randomBytes(32)];
  let minVersion = 1;

  function encryptFields({ plaintext = '', associated_data = '' }: Record<string, string>): FakeAnswer {
    const bytes = Buffer.from(plaintext, 'base64');
    const aad = Buffer.from(associated_data, 'base64');
    const ciphertext = encrypt(versions.at(-1) as Buffer, bytes, aad).toString('base64');
    const data = { ciphertext: `vault:v${versions.length}:${ciphertext}`, key_version: versions.length };
    return { status: 200, body: { request_id: '1', data } };
  }

  function decryptFields({ ciphertext = '', associated_data = '' }: Record<string, string>): FakeAnswer {
    const [, version, text] = /^vault:v(\d+):(.+)$/.exec(ciphertext) ?? [];
    const key = versions[Number(version) - 1];
    if (!key || !text) return vaultAnswer(400, 'invalid ciphertext: no prefix');
    if (Number(version) < minVersion) {
      return vaultAnswer(400, 'ciphertext or signature version is disallowed by policy (too old)');
    }
    const plaintext = decrypt(key, Buffer.from(text, 'base64'), Buffer.from(associated_data, 'base64'));
    if (!plaintext) return vaultAnswer(400, 'cipher: message authentication failed');
    return { status: 200, body: { request_id: '1', data: { plaintext: plaintext.toString('base64') } } };
  }

  function perform(request: FakeRequest, key: string, operate: typeof encryptFields): FakeAnswer {
    if (request.headers['x-vault-token'] !== fakeVaultToken) return vaultAnswer(403, 'permission denied');
    // As with a policy that lets nobody create a key by encrypting under its name.
    if (key !== 'tributary') return vaultAnswer(403, '1 error occurred:\n\t* permission denied\n\n');
    return operate(request.body as Record<string, string>);
  }

  server.on('POST /v1/security/transit/encrypt/{key}', (request, { key = '' }) =>
    perform(request, key, encryptFields),
  );
  server.on('POST /v1/security/transit/decrypt/{key}', (request, { key = '' }) =>
    perform(request, key, decryptFields),
  );
  return {
    server,
    rotate: () => void versions.push(randomBytes(32)),
    retireOldVersions: () => void (minVersion = versions.length),
  };
}

export function vaultAnswer(status: number, ...errors: readonly string[]): FakeAnswer {
  return { status, body: { errors } };
}
