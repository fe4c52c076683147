import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto';
import { type FakeAnswer, type FakeProvider, type FakeRequest, startFakeProvider } from '../fake-provider.js';
import { decrypt, encrypt } from './cipher.js';

export const fakeAwsCredentials = { accessKeyId: 'AKIDFAKE', secretAccessKey: 'a fake secret' };
export const fakeAwsRegion = 'eu-fake-1';
export const fakeAwsAlias = 'alias/tributary';

type KeyState = 'Enabled' | 'Disabled' | 'PendingDeletion';

/** AWS KMS as far as Encrypt and Decrypt go: https://docs.aws.amazon.com/kms/latest/APIReference/ */
export interface FakeAwsKms {
  readonly server: FakeProvider;
  /** Makes a new key, and lets the alias point to it. */
  rotate(): void;
  /** Of every key there is. */
  setState(state: KeyState): void;
}

export async function startFakeAwsKms(): Promise<FakeAwsKms> {
  const server = await startFakeProvider();
  const keys = new Map<string, Buffer>();
  let newest = '';
  let state: KeyState = 'Enabled';

  function rotate(): void {
    newest = `arn:aws:kms:${fakeAwsRegion}:111122223333:key/${randomUUID()}`;
    keys.set(newest, randomBytes(32));
  }
  rotate();

  function requireUsable(keyId: string): { readonly arn: string; readonly key: Buffer } {
    const arn = keyId === fakeAwsAlias ? newest : keyId;
    const key = keys.get(arn);
    if (!key) throw awsError(400, 'NotFoundException', `Key '${keyId}' does not exist`);
    if (state === 'Disabled') throw awsError(400, 'DisabledException', `${arn} is disabled.`);
    if (state === 'PendingDeletion') {
      throw awsError(400, 'KMSInvalidStateException', `${arn} is pending deletion.`);
    }
    return { arn, key };
  }

  function perform(request: FakeRequest): object {
    requireSigned(request);
    const { KeyId, EncryptionContext, Plaintext, CiphertextBlob } = request.body as KmsRequest;
    const aad = Buffer.from(JSON.stringify(Object.entries(EncryptionContext).toSorted(byName)));
    const { arn, key } = requireUsable(KeyId);
    const id = Buffer.from(arn);
    if (request.headers['x-amz-target'] === 'TrentService.Encrypt') {
      const blob = Buffer.concat([id, encrypt(key, Buffer.from(Plaintext ?? '', 'base64'), aad)]);
      return {
        KeyId: arn,
        CiphertextBlob: blob.toString('base64'),
        EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      };
    }
    const blob = Buffer.from(CiphertextBlob ?? '', 'base64');
    if (blob.length === 0) throw awsError(400, 'ValidationException', 'CiphertextBlob: length less than 1');
    const usedId = blob.subarray(0, id.length).toString();
    if (usedId !== arn && keys.has(usedId)) throw awsError(400, 'IncorrectKeyException', 'Another key.');
    const plaintext = decrypt(key, blob.subarray(id.length), aad);
    if (!plaintext || usedId !== arn) throw awsError(400, 'InvalidCiphertextException');
    return { KeyId: arn, Plaintext: plaintext.toString('base64'), EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
  }

  server.on('POST /', (request) => {
    try {
      return { status: 200, headers: { 'content-type': JSON_TYPE }, body: perform(request) };
    } catch (error) {
      if (error instanceof AwsRefusal) return error.answer;
      throw error;
    }
  });
  return { server, rotate, setState: (next) => void (state = next) };
}

/** The fields of both operations. */
interface KmsRequest {
  readonly KeyId: string;
  readonly EncryptionContext: Readonly<Record<string, string>>;
  readonly Plaintext?: string;
  readonly CiphertextBlob?: string;
}

/** The order of the context's pairs does not count. */
function byName([one]: [string, string], [other]: [string, string]): number {
  return one.localeCompare(other);
}

const JSON_TYPE = 'application/x-amz-json-1.1';

export function awsAnswer(status: number, type: string, message?: string): FakeAnswer {
  return {
    status,
    headers: { 'content-type': JSON_TYPE },
    body: { __type: type, ...(message && { message }) },
  };
}

class AwsRefusal extends Error {
  readonly answer: FakeAnswer;

  constructor(answer: FakeAnswer) {
    super('refused');
    this.answer = answer;
  }
}

function awsError(status: number, type: string, message?: string): AwsRefusal {
  return new AwsRefusal(awsAnswer(status, type, message));
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
function requireSigned({ method, path, headers, text }: FakeRequest): void {
  const signed =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), SignedHeaders=([^,]+), Signature=(\w+)$/.exec(
      headers['authorization'] ?? '',
    );
  if (!signed) throw awsError(400, 'MissingAuthenticationToken');
  const [, keyId, scope = '', names = '', signature] = signed;
  if (keyId !== fakeAwsCredentials.accessKeyId) throw awsError(400, 'UnrecognizedClientException');
  const values = names.split(';').map((name) => `${name}:${headers[name]?.trim()}`);
  const canonical = [method, path, '', ...values, '', names, sha256(text)].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const key = scope.split('/').reduce<Buffer>(hmac, Buffer.from(`AWS4${fakeAwsCredentials.secretAccessKey}`));
  const isRightPlace = scope.endsWith(`/${fakeAwsRegion}/kms/aws4_request`);
  if (!isRightPlace || hmac(key, toSign).toString('hex') !== signature) {
    throw awsError(400, 'InvalidSignatureException');
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
