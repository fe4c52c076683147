import { createVerify, randomBytes } from 'node:crypto';
import { crc32c } from '../../../src/credential/key-provider/crc32c.js';
import { type FakeAnswer, type FakeProvider, type FakeRequest, startFakeProvider } from '../fake-provider.js';
import { rsaKey } from '../rsa.js';
import { decrypt, encrypt } from './cipher.js';

export const fakeGcpKey = 'projects/fake/locations/global/keyRings/ring/cryptoKeys/tributary';

const VERSION_PREFIX_BYTES = 1;

/** Cloud KMS' REST API as far as encrypt and decrypt go: https://cloud.google.com/kms/docs/reference/rest */
export interface FakeGcpKms {
  readonly server: FakeProvider;
  /** The key file of a service account that may use the key. */
  readonly credentials: object;
  /** Makes a new version the primary one. */
  rotate(): void;
  /** Disables every version there is. */
  disable(): void;
}

/** `account`: the number of one that may use the key. */
export async function startFakeGcpKms(account = 0): Promise<FakeGcpKms> {
  const server = await startFakeProvider();
  const { publicKey, privateKey } = rsaKey(account);
  const versions: Buffer[] = [randomBytes(32)];
  let isEnabled = true;

  function perform(request: FakeRequest, key: string): FakeAnswer {
    if (!isSignedIn(request, publicKey.export({ type: 'spki', format: 'pem' }).toString())) {
      return gcpAnswer(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.');
    }
    const [name, verb] = key.split(':');
    if (`${request.path.slice('/v1/'.length, request.path.lastIndexOf('/'))}/${name}` !== fakeGcpKey) {
      return gcpAnswer(404, 'NOT_FOUND', `CryptoKey ${name} not found.`);
    }
    if (!isEnabled) return gcpAnswer(400, 'FAILED_PRECONDITION', 'The CryptoKeyVersion is DISABLED.');
    const fields = request.body as Record<string, string>;
    return verb === 'encrypt' ? encryptFields(fields) : decryptFields(fields);
  }

  function encryptFields({
    plaintext = '',
    additionalAuthenticatedData = '',
    ...sums
  }: Record<string, string>) {
    const [bytes, aad] = [
      Buffer.from(plaintext, 'base64'),
      Buffer.from(additionalAuthenticatedData, 'base64'),
    ];
    const version = versions.length;
    const ciphertext = Buffer.concat([Buffer.of(version), encrypt(versions.at(-1) as Buffer, bytes, aad)]);
    return {
      status: 200,
      body: {
        name: `${fakeGcpKey}/cryptoKeyVersions/${version}`,
        ciphertext: ciphertext.toString('base64'),
        ciphertextCrc32c: String(crc32c(ciphertext)),
        verifiedPlaintextCrc32c: sums['plaintextCrc32c'] === String(crc32c(bytes)),
        verifiedAdditionalAuthenticatedDataCrc32c:
          sums['additionalAuthenticatedDataCrc32c'] === String(crc32c(aad)),
        protectionLevel: 1,
      },
    };
  }

  function decryptFields({
    ciphertext = '',
    additionalAuthenticatedData = '',
    ...sums
  }: Record<string, string>) {
    const bytes = Buffer.from(ciphertext, 'base64');
    const aad = Buffer.from(additionalAuthenticatedData, 'base64');
    const isIntact =
      sums['ciphertextCrc32c'] === String(crc32c(bytes)) &&
      sums['additionalAuthenticatedDataCrc32c'] === String(crc32c(aad));
    if (!isIntact) return gcpAnswer(400, 'INVALID_ARGUMENT', 'The checksum did not match the data.');
    const key = versions[(bytes[0] ?? 0) - 1];
    const plaintext = key && decrypt(key, bytes.subarray(VERSION_PREFIX_BYTES), aad);
    if (!plaintext) {
      return gcpAnswer(
        400,
        'INVALID_ARGUMENT',
        "Decryption failed: verify that 'name' refers to the correct CryptoKey.",
      );
    }
    const body = { plaintext: plaintext.toString('base64'), plaintextCrc32c: String(crc32c(plaintext)) };
    return { status: 200, body };
  }

  server.on(
    'POST /v1/projects/{project}/locations/{location}/keyRings/{ring}/cryptoKeys/{key}',
    (request, params) => perform(request, params['key'] ?? ''),
  );
  return {
    server,
    credentials: {
      type: 'service_account',
      // Without it the client looks for a project all over the machine, and asks a metadata server that isn’t there.
      project_id: 'fake',
      client_email: 'tributary@fake.iam.gserviceaccount.com',
      private_key_id: '1',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    },
    rotate: () => void versions.push(randomBytes(32)),
    disable: () => void (isEnabled = false),
  };
}

export function gcpAnswer(code: number, status: string, message: string): FakeAnswer {
  return { status: code, body: { error: { code, message, status, details: [] } } };
}

/** A JWT that the service account signed itself: https://google.aip.dev/auth/4111 */
function isSignedIn({ headers }: FakeRequest, publicKey: string): boolean {
  const [header = '', claims = '', signature = ''] =
    /^Bearer (.*)$/.exec(headers['authorization'] ?? '')?.[1]?.split('.') ?? [];
  if (claims === '') return false;
  const { exp, scope, aud } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<
    string,
    unknown
  >;
  const isMeant = /cloud-platform|cloudkms/.test(`${String(scope)} ${String(aud)}`);
  const isSigned = createVerify('sha256')
    .update(`${header}.${claims}`)
    .verify(publicKey, signature, 'base64url');
  return isMeant && isSigned && Number(exp) * 1000 > Date.now();
}
