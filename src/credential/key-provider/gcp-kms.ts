import type { KeyManagementServiceClient } from '@google-cloud/kms';
import { bytesOfName } from './aes-gcm.js';
import { crc32c } from './crc32c.js';
import { type KeyProvider, KeyProviderError } from './key-provider.js';
import { lazily } from './lazy.js';
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

export interface GcpKmsOptions {
  /** `projects/…/locations/…/keyRings/…/cryptoKeys/…`: TRIBUTARY_GCP_KMS_KEY. */
  readonly key: string;
  /** Only unwrap: TRIBUTARY_GCP_KMS_KEY_PREVIOUS. */
  readonly previousKeys?: readonly string[] | undefined;
  /** Instead of `https://cloudkms.googleapis.com`. The client itself reads GOOGLE_APPLICATION_CREDENTIALS. */
  readonly endpoint?: string | undefined;
  readonly deadlineMs?: number | undefined;
}

/**
 * Wraps by Cloud KMS' Encrypt, with the data key's name as additional authenticated data and a CRC32C of everything,
 * both ways: https://cloud.google.com/kms/docs/data-integrity-guidelines. A keyId is the name of the key's version.
 */
export function createGcpKmsKeyProvider(options: GcpKmsOptions): KeyProvider {
  const { key: keyName, previousKeys = [], deadlineMs } = options;
  const service: KeyService = { title: 'Google Cloud KMS', deadlineMs, judge };
  const client = lazily(() => openClient(options));

  /** A client whose search for credentials failed keeps that failure for ever, so the next call gets a new one. */
  async function signIn(kms: KeyManagementServiceClient): Promise<void> {
    try {
      await kms.initialize();
    } catch (cause) {
      client.forget();
      const reason = (cause as Error).message;
      throw new KeyProviderError('denied', `${service.title}: ${NO_CREDENTIALS} (${reason})`, { cause });
    }
  }

  return {
    name: 'gcp-kms',
    async wrap(key, name) {
      const kms = await client.get();
      const aad = bytesOfName(name);
      const request = {
        name: keyName,
        plaintext: key,
        plaintextCrc32c: { value: crc32c(key) },
        additionalAuthenticatedData: aad,
        additionalAuthenticatedDataCrc32c: { value: crc32c(aad) },
      };
      return callService(service, 'wrap', async (signal) => {
        await signIn(kms);
        const [answer] = await kms.encrypt(request, { ...once, signal });
        if (!answer.name?.startsWith(`${keyName}/`)) throw notAnAnswer(service);
        requireIntact(
          service,
          Boolean(answer.verifiedPlaintextCrc32c && answer.verifiedAdditionalAuthenticatedDataCrc32c),
        );
        const wrapped = toChecked(service, answer.ciphertext, answer.ciphertextCrc32c);
        return { provider: 'gcp-kms', keyId: answer.name, wrapped };
      });
    },
    async unwrap({ keyId, wrapped }, name) {
      const wrappedBy = keyId.replace(/\/cryptoKeyVersions\/[^/]+$/, '');
      const request = {
        name: requireConfigured(
          service,
          wrappedBy,
          [keyName, ...previousKeys],
          'TRIBUTARY_GCP_KMS_KEY_PREVIOUS',
        ),
        ciphertext: wrapped,
        ciphertextCrc32c: { value: crc32c(wrapped) },
        additionalAuthenticatedData: bytesOfName(name),
        additionalAuthenticatedDataCrc32c: { value: crc32c(bytesOfName(name)) },
      };
      const kms = await client.get();
      return callService(service, 'unwrap', async (signal) => {
        await signIn(kms);
        const [answer] = await kms.decrypt(request, { ...once, signal });
        return requireDataKey(service, toChecked(service, answer.plaintext, answer.plaintextCrc32c));
      });
    },
    async close() {
      const kms = await client.peek();
      await kms?.close();
    },
  };
}

/** The client's own retries are off: see callService. */
const once = { retry: { retryCodes: [] } };

/** Over REST: gRPC would add nothing to a call now and then but a second network stack to operate. */
async function openClient({ endpoint }: GcpKmsOptions): Promise<KeyManagementServiceClient> {
  const { KeyManagementServiceClient } = await import('@google-cloud/kms');
  return new KeyManagementServiceClient({
    fallback: true,
    ...(endpoint && toStubOptions(new URL(endpoint))),
  });
}

function toStubOptions({ protocol, hostname, port }: URL) {
  const scheme = protocol.replace(':', '');
  return { protocol: scheme, apiEndpoint: hostname, port: Number(port) || (scheme === 'http' ? 80 : 443) };
}

/** The bytes, if their checksum fits. */
function toChecked(
  service: KeyService,
  bytes: Uint8Array | string | null | undefined,
  checksum: { readonly value?: unknown } | null | undefined,
): Buffer {
  if (!(bytes instanceof Uint8Array) || bytes.length === 0 || !checksum) throw notAnAnswer(service);
  requireIntact(service, Number(checksum.value) === crc32c(bytes));
  return Buffer.from(bytes);
}

function requireIntact({ title }: KeyService, isIntact: boolean): void {
  if (isIntact) return;
  const message = `${title}: bytes were altered on the way, or their checksum was dropped. Look for a faulty proxy if it goes on.`;
  throw new KeyProviderError('unavailable', message);
}

const NO_CREDENTIALS =
  'there are no usable Google credentials. Set GOOGLE_APPLICATION_CREDENTIALS, or give the workload a service account.';
const UNAVAILABLE: Verdict = ['unavailable', 'no usable answer; see https://status.cloud.google.com.'];

/**
 * By gRPC's code, which the client derives from REST's answers: https://cloud.google.com/apis/design/errors. Those left
 * out (INTERNAL, UNAVAILABLE, DEADLINE_EXCEEDED, UNKNOWN and what proxies make up) all are no usable answer.
 */
const verdicts: Readonly<Record<number, Verdict>> = {
  5: ['missing', 'there is no such key. Check TRIBUTARY_GCP_KMS_KEY.'], // NOT_FOUND
  7: [
    'denied',
    'this is not allowed. Give the service account roles/cloudkms.cryptoKeyEncrypterDecrypter on the key, and enable the Cloud KMS API.',
  ], // PERMISSION_DENIED
  8: ['throttled', 'too many requests for the project’s quota. Ask Google for a higher one.'], // RESOURCE_EXHAUSTED
  9: [
    'missing',
    'the key’s version can’t be used now. Enable or restore it, or make another one primary for new data keys.',
  ], // FAILED_PRECONDITION
  16: ['denied', NO_CREDENTIALS], // UNAUTHENTICATED
};
const INVALID_ARGUMENT = 3;

function judge(error: unknown, operation: Operation): Verdict | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'number') return undefined;
  if (error.code !== INVALID_ARGUMENT) return verdicts[error.code] ?? UNAVAILABLE;
  // The service's own 400 arrives decoded and without a cause. The other ones are a token endpoint's, or a page's.
  if (error.cause instanceof Error)
    return 'response' in error.cause ? ['denied', NO_CREDENTIALS] : UNAVAILABLE;
  if (operation === 'unwrap') return ['unreadable', UNREADABLE];
  return [
    'missing',
    'this is no key for encryption. TRIBUTARY_GCP_KMS_KEY has to be the name of one whose purpose is ENCRYPT_DECRYPT.',
  ];
}
