import { createHash, createHmac } from 'node:crypto';
import type { FakeRequest } from './fake-provider.js';

export interface AwsKey {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=(?<id>[^/]+)\/(?<day>\d{8})\/(?<region>[^/]+)\/s3\/aws4_request, SignedHeaders=(?<names>[a-z0-9;-]+), Signature=(?<signature>[0-9a-f]{64})$/;

/**
 * Whether S3 would believe a request without a query, step by step as AWS documents them, by nothing of ours or theirs:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function isSignedForS3(request: FakeRequest, key: AwsKey): boolean {
  const { method, path, headers, text } = request;
  const { id, day, region, names, signature } =
    AUTHORIZATION.exec(headers['authorization'] ?? '')?.groups ?? {};
  if (!names || !day || id !== key.accessKeyId || region !== key.region) return false;
  const signed = names.split(';');
  const required = ['host', 'x-amz-date', 'x-amz-content-sha256', ...conditionsOf(headers)];
  if (!required.every((name) => signed.includes(name))) return false;
  const time = headers['x-amz-date'] ?? '';
  const payload = sha256(text);
  if (headers['x-amz-content-sha256'] !== payload || !time.startsWith(day)) return false;
  // S3 reads the key out of the path and writes it in its own way, which must be the one that was signed.
  const uri = path
    .split('/')
    .map((segment) => uriEncode(decodeURIComponent(segment)))
    .join('/');
  const lines = signed.map((name) => `${name}:${(headers[name] ?? '').trim().replaceAll(/ +/g, ' ')}\n`);
  const canonical = [method, uri, '', lines.join(''), names, payload].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const signingKey = [day, region, 's3', 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => hmac(secret, part),
    `AWS4${key.secretAccessKey}`,
  );
  return signature === hmac(signingKey, toSign).toString('hex');
}

/** What must not be taken out of a request on its way. */
function conditionsOf(headers: FakeRequest['headers']): string[] {
  return Object.keys(headers).filter((name) => name.startsWith('if-'));
}

/** Everything but `A-Z a-z 0-9 - . _ ~`. */
function uriEncode(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9._~-]/.test(character)
        ? character
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
