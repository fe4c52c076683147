import type { AwsOptions } from '../../../src/credential/reference/aws.js';
import { type FakeAnswer, type FakeProvider, type FakeRequest, startFakeProvider } from '../fake-provider.js';

/** One version of a secret: its text, or its bytes in base64. */
export interface FakeAwsVersion {
  readonly id: string;
  readonly stages: readonly string[];
  readonly text?: string;
  readonly binary?: string;
}

/** AWS Secrets Manager as its API reference has it, GetSecretValue only. */
export interface FakeAws extends FakeProvider {
  readonly options: AwsOptions;
  /** By name. */
  readonly secrets: Map<string, readonly FakeAwsVersion[]>;
  /** Secrets by name that are refused with this error, whatever they hold. */
  readonly failing: Map<string, string>;
}

/** Before the name in an ARN, and after it. */
export const ARN_HEAD = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:';
export const ARN_END = '-AbCdEf';

const ACCESS_KEY = 'AKIAFAKEFAKEFAKEFAKE';
const SCOPE = new RegExp(
  `^AWS4-HMAC-SHA256 Credential=${ACCESS_KEY}/\\d{8}/eu-west-1/secretsmanager/aws4_request,`,
);

export async function startFakeAws(): Promise<FakeAws> {
  const fake = await startFakeProvider();
  const secrets: FakeAws['secrets'] = new Map();
  const failing: FakeAws['failing'] = new Map();
  fake.on('POST /', (request) => answer(request, secrets, failing));
  const credentials = { accessKeyId: ACCESS_KEY, secretAccessKey: 'fake' };
  return {
    ...fake,
    secrets,
    failing,
    options: { region: 'eu-west-1', endpoint: fake.url, credentials },
  };
}

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html */
function answer(
  { headers, body }: FakeRequest,
  secrets: FakeAws['secrets'],
  failing: FakeAws['failing'],
): FakeAnswer {
  if (!SCOPE.test(headers['authorization'] ?? '')) return awsError('UnrecognizedClientException');
  if (headers['x-amz-target'] !== 'secretsmanager.GetSecretValue') return awsError('InvalidAction');
  const { SecretId, VersionId, VersionStage = 'AWSCURRENT' } = body as Readonly<Record<string, string>>;
  const name = nameOf(SecretId ?? '');
  const failure = failing.get(name);
  if (failure !== undefined) return awsError(failure);
  const found = secrets
    .get(name)
    ?.find(({ id, stages }) => (VersionId ? id === VersionId : stages.includes(VersionStage)));
  if (!found) return awsError('ResourceNotFoundException');
  return {
    status: 200,
    headers: { 'content-type': 'application/x-amz-json-1.1' },
    body: {
      ARN: `${ARN_HEAD}${name}${ARN_END}`,
      Name: name,
      VersionId: found.id,
      VersionStages: found.stages,
      SecretString: found.text,
      SecretBinary: found.binary,
      CreatedDate: 1_700_000_000.5,
    },
  };
}

/** An ARN may lack its random end. */
function nameOf(id: string): string {
  if (!id.startsWith(ARN_HEAD)) return id;
  const name = id.slice(ARN_HEAD.length);
  return name.endsWith(ARN_END) ? name.slice(0, -ARN_END.length) : name;
}

/** The message holds what must not be repeated. */
export function awsError(type: string): FakeAnswer {
  return {
    status: type === 'InternalServiceError' ? 500 : 400,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': 'fake' },
    body: { __type: type, message: `planted-in-an-error: ${type}` },
  };
}
