import { describe, expect, it } from 'vitest';
import {
  ARN_END,
  ARN_HEAD,
  type FakeAws,
  awsError,
  startFakeAws,
} from '../../../test/support/fake-secrets/aws.js';
import {
  PLANTED,
  TENANT,
  describeStore,
  failureOf,
  referencesTo,
} from '../../../test/support/fake-secrets/contract.js';
import { answer } from '../../../test/support/fake-behavior.js';
import type { SecretReferences } from './references.js';

const NAME = 'tributary/acme/github';
const OLD = '11111111-1111-4111-8111-111111111111';
const NEW = '22222222-2222-4222-8222-222222222222';

async function start(): Promise<{ fake: FakeAws; references: SecretReferences }> {
  const fake = await startFakeAws();
  fake.secrets.set(NAME, [
    { id: OLD, stages: ['AWSPREVIOUS'], text: '{"token":"old"}' },
    { id: NEW, stages: ['AWSCURRENT', 'team/blue'], text: '{"token":"new","port":5432}' },
  ]);
  const subject = { fake, options: { aws: fake.options } };
  const pattern = 'aws-sm://tributary/{tenant}/*';
  return { fake, references: referencesTo({ ...subject, pattern }) };
}

describeStore('AWS Secrets Manager', async () => {
  const fake = await startFakeAws();
  fake.secrets.set(NAME, [{ id: NEW, stages: ['AWSCURRENT'], text: PLANTED }]);
  return {
    fake,
    options: { aws: fake.options },
    pattern: 'aws-sm://tributary/{tenant}/*',
    reference: `aws-sm://${NAME}`,
    match: 'POST /',
    isRetried: true,
  };
});

describe('AWS Secrets Manager', () => {
  it.each([
    [`aws-sm://${NAME}`, '{"token":"new","port":5432}'],
    [`aws-sm://${NAME}#token`, 'new'],
    [`aws-sm://${NAME}?stage=AWSPREVIOUS#token`, 'old'],
    [`aws-sm://${NAME}?stage=team%2Fblue#token`, 'new'],
    [`aws-sm://${NAME}?version=${OLD}#token`, 'old'],
  ])('gives %s', async (reference, text) => {
    const { references } = await start();
    expect((await references.resolve(reference, TENANT)).reveal()).toBe(text);
  });

  it.each([NAME, NAME + ARN_END])('takes an ARN where the pattern is one: %s', async (name) => {
    const fake = await startFakeAws();
    fake.secrets.set(NAME, [{ id: NEW, stages: ['AWSCURRENT'], text: 'by ARN' }]);
    const pattern = `aws-sm://${ARN_HEAD}tributary/{tenant}/*`;
    const references = referencesTo({ fake, options: { aws: fake.options }, pattern });
    expect((await references.resolve(`aws-sm://${ARN_HEAD}${name}`, TENANT)).reveal()).toBe('by ARN');
    // The name alone is another reference, which the pattern does not cover.
    expect(await failureOf(references.resolve(`aws-sm://${NAME}`, TENANT))).toMatchObject({
      kind: 'forbidden',
    });
  });

  it('says that a binary secret is none', async () => {
    const { fake, references } = await start();
    fake.secrets.set(NAME, [{ id: NEW, stages: ['AWSCURRENT'], binary: 'cGxhbnRlZA==' }]);
    expect(await failureOf(references.resolve(`aws-sm://${NAME}`, TENANT))).toMatchObject({
      kind: 'missing',
      message: expect.stringContaining('binary'),
    });
  });

  it.each([
    ['ResourceNotFoundException', 'missing', 'no such secret'],
    ['InvalidRequestException', 'missing', 'about to be deleted'],
    ['InvalidParameterException', 'missing', 'spelled'],
    ['DecryptionFailure', 'denied', 'kms:Decrypt'],
    ['AccessDeniedException', 'denied', 'secretsmanager:GetSecretValue'],
    ['UnrecognizedClientException', 'denied', 'own AWS credentials'],
    ['ExpiredTokenException', 'denied', 'own AWS credentials'],
    ['ThrottlingException', 'unavailable', 'HTTP 400'],
    ['InternalServiceError', 'unavailable', 'HTTP 500'],
    ['PlantedException', 'unavailable', 'HTTP 400'],
  ])('%s is %s', async (type, kind, hint) => {
    const { fake, references } = await start();
    fake.failing.set(NAME, type);
    expect(await failureOf(references.resolve(`aws-sm://${NAME}`, TENANT))).toMatchObject({
      kind,
      message: expect.stringContaining(hint),
    });
  });

  it('is asked again when it throttles', async () => {
    const { fake, references } = await start();
    fake.next('POST /', answer(awsError('ThrottlingException')));
    expect((await references.resolve(`aws-sm://${NAME}#token`, TENANT)).reveal()).toBe('new');
  });

  it('is denied to credentials that AWS does not know', async () => {
    const { fake } = await start();
    const aws = { ...fake.options, credentials: { accessKeyId: 'unknown', secretAccessKey: 'fake' } };
    const references = referencesTo({ fake, options: { aws }, pattern: 'aws-sm://tributary/{tenant}/*' });
    expect(await failureOf(references.resolve(`aws-sm://${NAME}`, TENANT))).toMatchObject({ kind: 'denied' });
  });
});
