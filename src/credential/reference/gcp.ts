import type { SecretManagerServiceClient } from '@google-cloud/secret-manager';
import { crc32c } from '../key-provider/crc32c.js';
import { SecretReferenceError, denied, unavailable } from './error.js';
import type { SecretLocation } from './reference.js';
import type { SecretStore } from './store.js';

type ClientOptions = NonNullable<ConstructorParameters<typeof SecretManagerServiceClient>[0]>;

/** Credentials the client finds by itself: Application Default Credentials (GOOGLE_APPLICATION_CREDENTIALS, metadata). */
export interface GcpOptions {
  /** Origin of another address, for private endpoints: `https://secretmanager-acme.p.googleapis.com`. */
  readonly endpoint?: string | undefined;
}

const NAME = 'Google Secret Manager';

/** https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access */
export async function openGcpStore({ endpoint }: GcpOptions): Promise<SecretStore> {
  const { SecretManagerServiceClient: Client } = await import('@google-cloud/secret-manager');
  // Plain HTTP instead of gRPC: one call a minute needs no channel, and proxies understand it.
  const client = new Client({ fallback: true, ...toAddress(endpoint) });
  return {
    async read(location, signal) {
      await client.auth.getAccessToken().catch((error: unknown) => {
        throw toCredentialError(error);
      });
      const request = { name: toName(location) };
      const [answer] = await client
        .accessSecretVersion(request, { signal, retry: RETRY })
        .catch((error: unknown) => {
          throw toError(error);
        });
      return toText(answer.payload);
    },
    close: () => client.close(),
  };
}

function toAddress(endpoint: string | undefined): ClientOptions {
  if (endpoint === undefined) return {};
  const { protocol, hostname, port } = new URL(endpoint);
  return {
    protocol: protocol.slice(0, -1),
    apiEndpoint: hostname,
    ...(port !== '' && { port: Number(port) }),
  };
}

function toName({ path, version = 'latest' }: SecretLocation): string {
  return `${path.join('/')}/versions/${version}`;
}

/** Numbers of google.rpc.Code. The client's own pause of two seconds would leave no time for a second try. */
const RETRY = {
  retryCodes: [8, 14],
  backoffSettings: {
    initialRetryDelayMillis: 200,
    retryDelayMultiplier: 2,
    maxRetryDelayMillis: 1_000,
    initialRpcTimeoutMillis: 5_000,
    rpcTimeoutMultiplier: 1,
    maxRpcTimeoutMillis: 5_000,
    maxRetries: 2,
  },
};

interface Payload {
  readonly data?: Uint8Array | string | null;
  readonly dataCrc32c?: unknown;
}

function toText(payload: Payload | null | undefined): string {
  const { data, dataCrc32c } = payload ?? {};
  if (!data) throw unavailable(NAME, 'an answer without a secret');
  const bytes = typeof data === 'string' ? Buffer.from(data, 'base64') : data;
  // https://cloud.google.com/secret-manager/docs/data-integrity
  if (dataCrc32c != null && Number(dataCrc32c) !== crc32c(bytes)) {
    throw unavailable(NAME, 'the secret arrived damaged');
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new SecretReferenceError('missing', 'The secret is binary. Store it as UTF-8 text.');
  }
}

const NETWORK = new Set(
  'EAI_AGAIN ECONNREFUSED ECONNRESET EHOSTUNREACH ENETUNREACH ENOTFOUND ETIMEDOUT'.split(' '),
);

/** From the token service or the metadata server, or because there are no credentials at all. */
function toCredentialError(error: unknown): SecretReferenceError {
  const { status, code } = (error ?? {}) as { status?: unknown; code?: unknown };
  if (typeof status === 'number' && status >= 500) return unavailable(NAME, `token: HTTP ${status}`);
  if (NETWORK.has(String(code))) return unavailable(NAME, 'token: no answer');
  return denied(NAME, STRANGER);
}

/** By google.rpc.Code. What stands in `message` stays out: for a garbled answer it quotes the body. */
function toError(error: unknown): SecretReferenceError {
  const { code } = (error ?? {}) as { code?: unknown };
  switch (code) {
    case 5:
      return missing('has no such secret, or not that version of it. Check project, secret and version.');
    case 9:
      return missing('has that version disabled or destroyed. Enable it, or refer to another.');
    case 7:
      return denied(
        NAME,
        'The operator’s service account needs the role Secret Manager Secret Accessor on it.',
      );
    case 16:
      return denied(NAME, STRANGER);
    default:
      return unavailable(NAME, typeof code === 'number' ? `code ${code}` : 'no answer');
  }
}

const STRANGER = 'The operator has to mend this server’s own Google credentials.';

function missing(problem: string): SecretReferenceError {
  return new SecretReferenceError('missing', `${NAME} ${problem}`);
}
