import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  awsAnswer,
  fakeAwsAlias,
  fakeAwsCredentials,
  fakeAwsRegion,
  startFakeAwsKms,
} from '../../../test/support/fake-kms/aws.js';
import {
  type Refusal,
  describeKeyProvider,
  describeServiceCalls,
  failureOf,
} from '../../../test/support/fake-kms/contract.js';
import { createAwsKmsKeyProvider } from './aws-kms.js';

const name = { tenantId: 'acme', version: 1 };

async function start(deadlineMs?: number) {
  useCredentials(fakeAwsCredentials);
  const { server, ...fake } = await startFakeAwsKms();
  const provider = createAwsKmsKeyProvider({ key: fakeAwsAlias, endpoint: server.url, deadlineMs });
  onTestFinished(async () => {
    await provider.close();
    await server.close();
    vi.unstubAllEnvs();
  });
  const rotate = () => {
    fake.rotate();
    return provider;
  };
  return { provider, server, fake, rotate };
}

function useCredentials({ accessKeyId, secretAccessKey }: typeof fakeAwsCredentials): void {
  vi.stubEnv('AWS_REGION', fakeAwsRegion);
  vi.stubEnv('AWS_ACCESS_KEY_ID', accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', secretAccessKey);
}

function refusal(status: number, type: string, kind: Refusal['kind'], advice: RegExp): Refusal {
  return { answer: awsAnswer(status, type, 'as the service puts it'), kind, advice };
}

const refusals: Readonly<Record<string, Refusal>> = {
  ThrottlingException: refusal(400, 'ThrottlingException', 'throttled', /quota.*as the service puts it/),
  KMSInternalException: refusal(500, 'KMSInternalException', 'unavailable', /health\.aws/),
  DependencyTimeoutException: refusal(503, 'DependencyTimeoutException', 'unavailable', /health\.aws/),
  KeyUnavailableException: refusal(500, 'KeyUnavailableException', 'unavailable', /health\.aws/),
  'an error no page lists': refusal(500, 'SomethingNew', 'unavailable', /SomethingNew/),
  AccessDeniedException: refusal(400, 'AccessDeniedException', 'denied', /IAM policy/),
  ExpiredTokenException: refusal(400, 'ExpiredTokenException', 'denied', /Renew/),
  UnrecognizedClientException: refusal(400, 'UnrecognizedClientException', 'denied', /Renew/),
  NotFoundException: refusal(400, 'NotFoundException', 'missing', /TRIBUTARY_AWS_KMS_KEY/),
  DisabledException: refusal(400, 'DisabledException', 'missing', /Enable it/),
  KMSInvalidStateException: refusal(400, 'KMSInvalidStateException', 'missing', /cancel its deletion/),
  InvalidKeyUsageException: refusal(400, 'InvalidKeyUsageException', 'missing', /SYMMETRIC_DEFAULT/),
};

describe('AWS KMS', () => {
  describeKeyProvider(start);
  describeServiceCalls(start, refusals);

  it('gets the name as encryption context, which its log shows, and a signed request', async () => {
    const { provider, server } = await start();
    await provider.wrap(randomBytes(32), name);
    expect(server.requests).toMatchObject([
      { body: { KeyId: fakeAwsAlias, EncryptionContext: { tenant_id: 'acme', data_key_version: '1' } } },
    ]);
  });

  it('is asked for the key that wrapped, whatever the alias points to by now', async () => {
    const { provider, server, rotate } = await start();
    const wrapped = await provider.wrap(randomBytes(32), name);
    expect(wrapped.keyId).toMatch(/^arn:aws:kms:/);
    await rotate().unwrap(wrapped, name);
    expect(server.requests.at(-1)?.body).toMatchObject({ KeyId: wrapped.keyId });
  });

  it('says which key another one’s bytes were given to: IncorrectKeyException', async () => {
    const { provider, rotate } = await start();
    const wrapped = await provider.wrap(randomBytes(32), name);
    const { keyId } = await rotate().wrap(randomBytes(32), name);
    const failure = await failureOf(provider.unwrap({ ...wrapped, keyId }, name));
    expect(failure).toMatchObject({
      kind: 'unreadable',
      message: expect.stringContaining('IncorrectKey') as string,
    });
  });

  it.each([
    ['Disabled', /Enable it/],
    ['PendingDeletion', /cancel its deletion/],
  ] as const)('does not unwrap by a key that is %s', async (state, advice) => {
    const { provider, fake } = await start();
    const wrapped = await provider.wrap(randomBytes(32), name);
    fake.setState(state);
    const failure = await failureOf(provider.unwrap(wrapped, name));
    expect(failure.kind).toBe('missing');
    expect(failure.message).toMatch(advice);
  });

  it('refuses a wrong secret', async () => {
    const { provider } = await start();
    useCredentials({ ...fakeAwsCredentials, secretAccessKey: 'another one' });
    expect(await failureOf(provider.wrap(randomBytes(32), name))).toMatchObject({ kind: 'denied' });
  });

  it('can’t be asked without a region', async () => {
    const { provider } = await start();
    vi.stubEnv('AWS_REGION', undefined);
    vi.stubEnv('AWS_CONFIG_FILE', '/nowhere');
    const failure = await failureOf(provider.wrap(randomBytes(32), name));
    expect(failure).toMatchObject({
      kind: 'missing',
      message: expect.stringContaining('AWS_REGION') as string,
    });
  });

  it('can’t be asked without credentials', async () => {
    const { provider } = await start();
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nowhere');
    vi.stubEnv('AWS_CONFIG_FILE', '/nowhere');
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    expect(await failureOf(provider.wrap(randomBytes(32), name))).toMatchObject({ kind: 'denied' });
  });
});
