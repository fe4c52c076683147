import { type Hash, type Hmac, createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Clock } from '../core/clock.js';
import type { Secret } from '../core/secret.js';
import type { Authorize } from './authorize.js';

export interface AwsAccess {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
}

/**
 * Signs requests to Amazon S3, or a store that speaks like it, by AWS Signature Version 4:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html. Method, path, host, body and every
 * header that is handed in are signed, conditions included. The store refuses what is older than fifteen minutes.
 */
export function createAwsAuthorize(
  { region, accessKeyId, secretAccessKey }: AwsAccess,
  clock: Clock,
): Authorize {
  return async ({ method, url, headers, body }) => {
    const signer = new SignatureV4({
      service: 's3',
      region,
      credentials: { accessKeyId, secretAccessKey: secretAccessKey.reveal() },
      sha256: Sha256,
      // S3 alone takes the path as it is sent.
      uriEscapePath: false,
    });
    const { protocol, hostname, host, pathname: path } = url;
    const request = { protocol, hostname, path, method, headers: { ...headers, host }, body };
    const signed = await signer.sign(request, { signingDate: clock.now() });
    const { host: _sentByTheClient, ...rest } = signed.headers;
    return rest;
  };
}

/** The form in which the signer wants SHA-256, and HMAC of it where there is a key. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', toBytes(key));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(toBytes(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
}

function toBytes(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
