import type { Secret } from '../core/secret.js';
import type { HttpClient, HttpResponse } from '../outbound/client.js';

export interface HashicorpVaultOptions {
  readonly client: HttpClient;
  /** VAULT_ADDR, with or without a trailing slash. */
  readonly address: string;
  /** VAULT_TOKEN. */
  readonly token: Secret;
  /** VAULT_NAMESPACE, of Vault Enterprise and HCP. */
  readonly namespace?: string | undefined;
}

/** One call to Vault's HTTP API, `/v1/` and the path. The client is ours: HashiCorp publishes none for Node. */
export interface HashicorpVault {
  /** Answers `data` of the response. Throws {@link HashicorpVaultError}, or HttpError when there was no answer. */
  call(method: 'GET' | 'POST', path: string, body?: Readonly<Record<string, unknown>>): Promise<unknown>;
}

/** Vault said no. https://developer.hashicorp.com/vault/api-docs#http-status-codes */
export class HashicorpVaultError extends Error {
  override readonly name = 'HashicorpVaultError';
  readonly status: number;
  /** In Vault's words. None where something in between has answered. */
  readonly errors: readonly string[];

  constructor(status: number, errors: readonly string[]) {
    super(`Vault answered ${status}${errors.length > 0 ? `: ${errors.join('; ')}` : ''}`);
    this.status = status;
    this.errors = errors;
  }
}

const DEADLINE_MS = 5_000;

export function createHashicorpVault(options: HashicorpVaultOptions): HashicorpVault {
  const { client, token, namespace } = options;
  const address = options.address.replace(/\/+$/, '');
  return {
    async call(method, path, body) {
      const response = await client.send({
        method,
        url: new URL(`${address}/v1/${path}`),
        headers: {
          'x-vault-token': token.reveal(),
          // Required by agents and proxies that are set up to keep SSRF out; ignored by all others.
          'x-vault-request': 'true',
          ...(namespace && { 'x-vault-namespace': namespace }),
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
        deadlineMs: DEADLINE_MS,
      });
      const { data, errors } = parse(response);
      if (response.status >= 200 && response.status < 300) return data;
      throw new HashicorpVaultError(response.status, Array.isArray(errors) ? errors.map(String) : []);
    },
  };
}

interface Answer {
  readonly data?: unknown;
  readonly errors?: unknown;
}

/** A proxy in between answers in its own words: only the status counts then. */
function parse({ text }: HttpResponse): Answer {
  try {
    return (JSON.parse(text) ?? {}) as Answer;
  } catch {
    return {};
  }
}
