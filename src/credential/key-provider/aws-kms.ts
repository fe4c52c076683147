import type { KMS } from '@aws-sdk/client-kms';
import type { DataKeyName, KeyProvider } from './key-provider.js';
import { lazily } from './lazy.js';
import {
  type KeyService,
  type Operation,
  UNREADABLE,
  type Verdict,
  callService,
  notAnAnswer,
  requireDataKey,
} from './service.js';

export interface AwsKmsOptions {
  /** A symmetric key's id, ARN or alias (`alias/tributary`): TRIBUTARY_AWS_KMS_KEY. */
  readonly key: string;
  /** Instead of the region's. The client itself reads AWS_ENDPOINT_URL_KMS, AWS_REGION and the credentials. */
  readonly endpoint?: string | undefined;
  readonly deadlineMs?: number | undefined;
}

/** Wraps by AWS KMS' Encrypt, with the data key's name as encryption context. A keyId is the key's ARN. */
export function createAwsKmsKeyProvider(options: AwsKmsOptions): KeyProvider {
  const service: KeyService = { title: 'AWS KMS', deadlineMs: options.deadlineMs, judge };
  const client = lazily(() => openClient(options));
  return {
    name: 'aws-kms',
    async wrap(key, name) {
      const kms = await client.get();
      const request = { KeyId: options.key, Plaintext: key, EncryptionContext: contextOf(name) };
      return callService(service, 'wrap', async (abortSignal) => {
        const { KeyId, CiphertextBlob } = await kms.encrypt(request, { abortSignal });
        if (!KeyId || !CiphertextBlob) throw notAnAnswer(service);
        return { provider: 'aws-kms', keyId: KeyId, wrapped: Buffer.from(CiphertextBlob) };
      });
    },
    async unwrap({ keyId, wrapped }, name) {
      const kms = await client.get();
      const request = { KeyId: keyId, CiphertextBlob: wrapped, EncryptionContext: contextOf(name) };
      return callService(service, 'unwrap', async (abortSignal) => {
        const { Plaintext } = await kms.decrypt(request, { abortSignal });
        if (!Plaintext) throw notAnAnswer(service);
        return requireDataKey(service, Buffer.from(Plaintext));
      });
    },
    async close() {
      const kms = await client.peek();
      kms?.destroy();
    },
  };
}

async function openClient({ endpoint }: AwsKmsOptions): Promise<KMS> {
  const { KMS } = await import('@aws-sdk/client-kms');
  return new KMS({ maxAttempts: 1, ...(endpoint && { endpoint }) });
}

/** Shown in CloudTrail, and usable in conditions of a key policy. */
function contextOf({ tenantId, version }: DataKeyName): Record<string, string> {
  return { tenant_id: tenantId, data_key_version: String(version) };
}

const THROTTLED: Verdict = [
  'throttled',
  'too many requests for the account’s quota. Ask AWS for a higher one.',
];
const UNAVAILABLE: Verdict = ['unavailable', 'no usable answer; see https://health.aws.amazon.com.'];
const NO_PERMISSION: Verdict = [
  'denied',
  'kms:Encrypt or kms:Decrypt is not allowed. Allow them in the IAM policy and in the key policy.',
];
const NO_CREDENTIALS: Verdict = [
  'denied',
  'the AWS credentials are missing, wrong or expired. Renew the role or the AWS_* variables.',
];
const NO_KEY: Verdict = ['missing', 'there is no such key. Check TRIBUTARY_AWS_KMS_KEY and AWS_REGION.'];
const NO_USE: Verdict = [
  'missing',
  'the key can’t be used now. Enable it, or cancel its deletion, before you do anything else.',
];

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#API_Decrypt_Errors and CommonErrors.html */
const verdicts: Readonly<Record<string, Verdict>> = {
  ThrottlingException: THROTTLED,
  TooManyRequestsException: THROTTLED,
  RequestLimitExceeded: THROTTLED,
  KMSInternalException: UNAVAILABLE,
  DependencyTimeoutException: UNAVAILABLE,
  KeyUnavailableException: UNAVAILABLE,
  // The client corrects its clock by such an answer, so that the next attempt can succeed.
  RequestTimeTooSkewed: UNAVAILABLE,
  RequestExpired: UNAVAILABLE,
  AccessDeniedException: NO_PERMISSION,
  NotAuthorized: NO_PERMISSION,
  InvalidGrantTokenException: NO_PERMISSION,
  OptInRequired: NO_CREDENTIALS,
  CredentialsProviderError: NO_CREDENTIALS,
  TokenProviderError: NO_CREDENTIALS,
  ExpiredToken: NO_CREDENTIALS,
  ExpiredTokenException: NO_CREDENTIALS,
  IncompleteSignature: NO_CREDENTIALS,
  InvalidClientTokenId: NO_CREDENTIALS,
  InvalidSignatureException: NO_CREDENTIALS,
  MissingAuthenticationToken: NO_CREDENTIALS,
  SignatureDoesNotMatch: NO_CREDENTIALS,
  UnrecognizedClientException: NO_CREDENTIALS,
  NotFoundException: NO_KEY,
  InvalidArnException: NO_KEY,
  DisabledException: NO_USE,
  KMSInvalidStateException: NO_USE,
  InvalidKeyUsageException: [
    'missing',
    'the key is not for encryption. TRIBUTARY_AWS_KMS_KEY has to be a symmetric one (SYMMETRIC_DEFAULT).',
  ],
  InvalidCiphertextException: ['unreadable', UNREADABLE],
  IncorrectKeyException: ['unreadable', UNREADABLE],
};

function judge(error: unknown, operation: Operation): Verdict | undefined {
  if (!(error instanceof Error)) return undefined;
  const verdict = verdicts[error.name];
  if (verdict) return verdict;
  if (error.message === 'Region is missing')
    return ['missing', 'it is unknown where the key is. Set AWS_REGION.'];
  const status = statusOf(error);
  if (status === undefined) return 'code' in error ? UNAVAILABLE : undefined;
  if (error.name !== 'ValidationException') return UNAVAILABLE;
  return operation === 'unwrap' ? ['unreadable', UNREADABLE] : NO_KEY;
}

function statusOf(error: Error): number | undefined {
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  return $metadata?.httpStatusCode;
}
