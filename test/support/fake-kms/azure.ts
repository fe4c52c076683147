import {
  type KeyPairKeyObjectResult,
  constants,
  privateDecrypt,
  publicEncrypt,
  randomUUID,
} from 'node:crypto';
import { once } from 'node:events';
import { Agent } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { createServer } from 'node:tls';
import { type FakeAnswer, type FakeProvider, type FakeRequest, startFakeProvider } from '../fake-provider.js';
import { createCertificate } from '../certificate.js';
import { rsaKey } from '../rsa.js';

export const fakeAzureToken = 'a fake token';
const HOST = 'fake.vault.azure.net';
const KEY_NAME = 'tributary';

/** Key Vault's REST API as far as get, wrapkey and unwrapkey go: https://learn.microsoft.com/rest/api/keyvault/keys/ */
export interface FakeAzureKeyVault {
  readonly server: FakeProvider;
  /** The key's identifier, without a version. */
  readonly keyUrl: string;
  /** Finds the vault's name on this machine, and trusts its certificate. */
  readonly agent: Agent;
  /** Makes a new version; the older ones expire. */
  rotate(): void;
  /** Disables every version there is. */
  disable(): void;
  close(): Promise<void>;
}

export async function startFakeAzureKeyVault(): Promise<FakeAzureKeyVault> {
  const server = await startFakeProvider();
  const front = await startTlsFront(server);
  const keyUrl = `https://${HOST}:${front.port}/keys/${KEY_NAME}`;
  const versions = new Map<string, KeyPairKeyObjectResult>();
  let newest = '';
  let isEnabled = true;

  function rotate(): void {
    newest = randomUUID().replaceAll('-', '');
    versions.set(newest, rsaKey(versions.size));
  }
  rotate();

  function find(request: FakeRequest, params: Readonly<Record<string, string>>): Found {
    const version = params['version'] || newest;
    const pair = params['name'] === KEY_NAME ? versions.get(version) : undefined;
    const { authorization } = request.headers;
    if (authorization !== `Bearer ${fakeAzureToken}`) return { refusal: challenge };
    if (!request.query['api-version'])
      return { refusal: azureAnswer(400, 'BadParameter', 'No api-version.') };
    if (!pair) return { refusal: azureAnswer(404, 'KeyNotFound', 'A key with this name/id was not found.') };
    if (!isEnabled) return { refusal: disabled };
    return { pair, kid: `${keyUrl}/${version}`, isExpired: version !== newest };
  }

  server.on('GET /keys/{name}/{version}', (request, params) => {
    const { refusal, pair, kid, isExpired } = find(request, params);
    if (refusal) return refusal;
    const { n, e } = pair.publicKey.export({ format: 'jwk' });
    const key = { kid, kty: 'RSA', n, e, key_ops: ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey'] };
    return { status: 200, body: { key, attributes: { enabled: true, ...(isExpired && { exp: 1 }) } } };
  });
  server.on('POST /keys/{name}/{version}/wrapkey', (request, params) => {
    const { refusal, pair, kid, isExpired } = find(request, params);
    if (refusal) return refusal;
    if (isExpired) return azureAnswer(403, 'Forbidden', 'The key is expired.', 'KeyExpired');
    return answerOperation(kid, request, (value) =>
      publicEncrypt({ key: pair.publicKey, ...OAEP_256 }, value),
    );
  });
  // An expired version may still unwrap: https://learn.microsoft.com/azure/key-vault/keys/about-keys-details
  server.on('POST /keys/{name}/{version}/unwrapkey', (request, params) => {
    const { refusal, pair, kid } = find(request, params);
    if (refusal) return refusal;
    return answerOperation(kid, request, (value) =>
      privateDecrypt({ key: pair.privateKey, ...OAEP_256 }, value),
    );
  });
  return {
    server,
    keyUrl,
    agent: front.agent,
    rotate,
    disable: () => void (isEnabled = false),
    async close() {
      front.close();
      await server.close();
    },
  };
}

type Found =
  | { readonly refusal: FakeAnswer; readonly pair?: never; readonly kid?: never; readonly isExpired?: never }
  | {
      readonly refusal?: never;
      readonly pair: KeyPairKeyObjectResult;
      readonly kid: string;
      readonly isExpired: boolean;
    };

const OAEP_256 = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };

function answerOperation(kid: string, { body }: FakeRequest, operate: (value: Buffer) => Buffer): FakeAnswer {
  const { alg, value } = body as Record<string, string>;
  if (alg !== 'RSA-OAEP-256') return azureAnswer(400, 'BadParameter', 'Only RSA-OAEP-256 here.');
  try {
    const result = operate(Buffer.from(value ?? '', 'base64url'));
    return { status: 200, body: { kid, value: result.toString('base64url') } };
  } catch {
    return azureAnswer(400, 'BadParameter', 'The parameter is incorrect.');
  }
}

export function azureAnswer(status: number, code: string, message: string, inner?: string): FakeAnswer {
  return { status, body: { error: { code, message, ...(inner && { innererror: { code: inner } }) } } };
}

const disabled = azureAnswer(403, 'Forbidden', 'Operation is not allowed on a disabled key.', 'KeyDisabled');

/** The client asks without a token first, and only answers a vault that wants tokens of the domain it is in. */
const challenge: FakeAnswer = {
  ...azureAnswer(401, 'Unauthorized', 'AKV10000: Request is missing a Bearer or PoP token.'),
  headers: {
    'www-authenticate':
      'Bearer authorization="https://login.microsoftonline.com/fake", resource="https://vault.azure.net"',
  },
};

interface TlsFront {
  readonly port: number;
  readonly agent: Agent;
  close(): void;
}

/** The client sends tokens over TLS only. */
async function startTlsFront(server: FakeProvider): Promise<TlsFront> {
  const certificate = createCertificate([HOST]);
  const front = createServer(certificate, (socket) => {
    const behind = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.pipe(behind).pipe(socket);
    // Either side may go first, and then the other has nobody to speak to.
    for (const [one, other] of [
      [socket, behind],
      [behind, socket],
    ] as const) {
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
    }
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  const agent = new Agent({
    ca: certificate.cert,
    keepAlive: true,
    lookup: (_host, options, callback) =>
      options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4),
  });
  return {
    port: (front.address() as AddressInfo).port,
    agent,
    close() {
      agent.destroy();
      front.close();
    },
  };
}
