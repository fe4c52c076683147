import { type FakeAnswer, type FakeProvider, type FakeRequest, startFakeProvider } from '../fake-provider.js';

export const VAULT_TOKEN = 'fake-vault-token';

/** A version of a secret, or null once it is deleted. */
export type FakeVaultVersion = Readonly<Record<string, unknown>> | null;

/** HashiCorp Vault with a KV version 2 mount, as its API documentation has it. */
export interface FakeVault extends FakeProvider {
  /** By `<mount>/<path>`; versions, oldest first. */
  readonly secrets: Map<string, readonly FakeVaultVersion[]>;
  /** What the token's policy does not cover. */
  readonly denied: Set<string>;
  isSealed: boolean;
}

/** As deep as the fake's routes go. */
const DEPTH = 4;

export async function startFakeVault(): Promise<FakeVault> {
  const fake = await startFakeProvider();
  const vault: FakeVault = { ...fake, secrets: new Map(), denied: new Set(), isSealed: false };
  for (let depth = 1; depth <= DEPTH; depth++) {
    const names = Array.from({ length: depth }, (_, index) => `name${index}`);
    const route = `GET /v1/{mount}/data/${names.map((name) => `{${name}}`).join('/')}`;
    fake.on(route, (request, params) =>
      answer(vault, request, [params['mount'], ...names.map((name) => params[name])].join('/')),
    );
  }
  return vault;
}

/** https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2#read-secret-version */
function answer(vault: FakeVault, { headers, query }: FakeRequest, path: string): FakeAnswer {
  if (vault.isSealed) return vaultError(503, 'Vault is sealed');
  if (headers['x-vault-token'] !== VAULT_TOKEN || vault.denied.has(path)) {
    return vaultError(403, 'planted-in-an-error: permission denied');
  }
  const versions = vault.secrets.get(path) ?? [];
  const version = Number(query['version'] ?? versions.length);
  const data = versions[version - 1];
  if (data === undefined) return { status: 404, body: { errors: [] } };
  const deletion_time = data === null ? '2026-01-02T03:04:05.000000006Z' : '';
  const metadata = { created_time: '2026-01-01T00:00:00Z', deletion_time, destroyed: false, version };
  return {
    status: data === null ? 404 : 200,
    body: {
      request_id: 'fake',
      lease_id: '',
      renewable: false,
      lease_duration: 0,
      data: { data, metadata },
    },
  };
}

function vaultError(status: number, ...errors: readonly string[]): FakeAnswer {
  return { status, body: { errors } };
}
