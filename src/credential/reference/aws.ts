import type { SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';
import { SecretReferenceError, denied, unavailable } from './error.js';
import type { SecretLocation } from './reference.js';
import type { SecretStore } from './store.js';

/** All optional: by itself the client reads AWS_REGION and its fellows, profiles, and roles of container and machine. */
export type AwsOptions = Pick<SecretsManagerClientConfig, 'region' | 'endpoint' | 'credentials'>;

const NAME = 'AWS Secrets Manager';
const MAX_ATTEMPTS = 3;

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html */
export async function openAwsStore(options: AwsOptions): Promise<SecretStore> {
  const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
  const client = new SecretsManagerClient({ ...options, maxAttempts: MAX_ATTEMPTS });
  return {
    async read(location, signal) {
      const command = new GetSecretValueCommand(toInput(location));
      const answer = await client.send(command, { abortSignal: signal }).catch((error: unknown) => {
        throw toError(error);
      });
      if (typeof answer.SecretString === 'string') return answer.SecretString;
      if (!answer.SecretBinary) throw unavailable(NAME, 'an answer without a secret');
      throw new SecretReferenceError('missing', 'The secret is binary. Store it as text (SecretString).');
    },
    close: () => client.destroy(),
  };
}

function toInput({ path, version, stage }: SecretLocation): {
  SecretId: string;
  VersionId?: string;
  VersionStage?: string;
} {
  const [head = '', ...names] = path;
  // The head of an ARN ends in a colon, and its name follows without a slash.
  const SecretId = head.endsWith(':') ? `${head}${names.join('/')}` : path.join('/');
  return { SecretId, ...(version && { VersionId: version }), ...(stage && { VersionStage: stage }) };
}

/** What AWS calls it when it does not know, or no longer knows, who asks. */
const STRANGER = new Set([
  'CredentialsProviderError',
  'ExpiredTokenException',
  'IncompleteSignature',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'NotAuthorized',
  'SignatureDoesNotMatch',
  'TokenProviderError',
  'UnrecognizedClientException',
]);

interface AwsFailure {
  readonly name?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Names as in the API reference above and in "Common errors". What stands in `message` stays out. */
function toError(error: unknown): SecretReferenceError {
  const { name, $metadata } = (error ?? {}) as AwsFailure;
  switch (name) {
    case 'ResourceNotFoundException':
      return missing('has no such secret, or not that version of it. Check name, region, stage and version.');
    case 'InvalidRequestException':
      return missing('will not give the secret in its present state: it is about to be deleted. Restore it.');
    case 'InvalidParameterException':
    case 'ValidationException':
      return missing('does not take this name, stage or version. Check how it is spelled.');
    case 'AccessDeniedException':
      return denied(NAME, 'The operator’s role needs secretsmanager:GetSecretValue on it.');
    case 'DecryptionFailure':
      return denied(NAME, 'Its KMS key must be enabled, and the operator’s role needs kms:Decrypt with it.');
    default:
  }
  if (STRANGER.has(String(name)))
    return denied(NAME, 'The operator has to mend this server’s own AWS credentials.');
  const status = $metadata?.httpStatusCode;
  return unavailable(NAME, status === undefined ? 'no answer' : `HTTP ${status}`);
}

function missing(problem: string): SecretReferenceError {
  return new SecretReferenceError('missing', `${NAME} ${problem}`);
}
