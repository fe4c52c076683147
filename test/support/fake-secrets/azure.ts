import { once } from 'node:events';
import { Agent } from 'node:https';
import { type AddressInfo, type Socket, connect } from 'node:net';
import { createServer } from 'node:tls';
import type { AzureOptions } from '../../../src/credential/reference/azure.js';
import { type FakeAnswer, type FakeProvider, type FakeRequest, startFakeProvider } from '../fake-provider.js';
import { createCertificate } from '../certificate.js';

/** Azure Key Vault over TLS, "Get Secret" only, with the challenge that tells a client which token to bring. */
export interface FakeAzure extends FakeProvider {
  readonly options: AzureOptions;
  /** By `<vault>/<secret>` for the newest version, `<vault>/<secret>/<version>` for one. */
  readonly secrets: Map<string, string>;
  /** Of the same names: what they are refused with. */
  readonly failing: Map<string, FakeAnswer>;
  /** What tokens were asked for, oldest first. */
  readonly scopes: readonly string[];
}

const DOMAIN = 'vault.test';
const TOKEN = 'fake-azure-token';

export async function startFakeAzure(): Promise<FakeAzure> {
  const fake = await startFakeProvider();
  const secrets: FakeAzure['secrets'] = new Map();
  const failing: FakeAzure['failing'] = new Map();
  const scopes: string[] = [];
  for (const route of ['GET /secrets/{name}', 'GET /secrets/{name}/{version}']) {
    fake.on(route, (request) => answer(request, secrets, failing));
  }
  const tls = await startTls(Number(new URL(fake.url).port));
  const credential = {
    async getToken(scope: string | string[]) {
      scopes.push(...[scope].flat());
      return { token: TOKEN, expiresOnTimestamp: Date.now() + 3_600_000 };
    },
  };
  return {
    ...fake,
    secrets,
    failing,
    scopes,
    options: { credential, hostSuffix: `${DOMAIN}:${tls.port}`, agent: tls.agent },
    async close() {
      await tls.close();
      await fake.close();
    },
  };
}

/** https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret */
function answer(
  { path, headers }: FakeRequest,
  secrets: FakeAzure['secrets'],
  failing: FakeAzure['failing'],
): FakeAnswer {
  if (headers['authorization'] !== `Bearer ${TOKEN}`) return challenge();
  const [vault = ''] = (headers['host'] ?? '').split('.');
  const name = `${vault}/${path.replace(/^\/secrets\//, '').replace(/\/$/, '')}`;
  const failure = failing.get(name);
  if (failure) return failure;
  const value = secrets.get(name);
  if (value === undefined) return azureError(404, 'SecretNotFound');
  const id = `https://${vault}.${DOMAIN}/secrets/${name.split('/')[1]}/0123456789abcdef0123456789abcdef`;
  return { status: 200, body: { value, id, attributes: { enabled: true, created: 1, updated: 1 } } };
}

/** https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses */
function challenge(): FakeAnswer {
  const authority = 'https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000';
  return {
    ...azureError(401, 'Unauthorized'),
    headers: { 'www-authenticate': `Bearer authorization="${authority}", resource="https://${DOMAIN}"` },
  };
}

/** The message holds what must not be repeated. */
export function azureError(status: number, code: string, inner?: string): FakeAnswer {
  const error = {
    code,
    message: `planted-in-an-error: ${code}`,
    ...(inner && { innererror: { code: inner } }),
  };
  return { status, body: { error } };
}

/** TLS in front of a port of plain HTTP, and an agent that finds and trusts it under every name of the domain. */
async function startTls(port: number): Promise<{ port: number; agent: Agent; close(): Promise<void> }> {
  const { key, cert } = createCertificate([`*.${DOMAIN}`]);
  const sockets = new Set<Socket>();
  const server = createServer({ key, cert }, (outside) => {
    const inside = connect(port, '127.0.0.1');
    for (const [socket, other] of [[outside, inside] as const, [inside, outside] as const]) {
      sockets.add(socket);
      socket.on('error', () => other.destroy()).on('close', () => other.destroy());
      socket.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const agent = new Agent({
    ca: cert,
    lookup: (_name, { all }, done) =>
      all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4),
  });
  return {
    port: (server.address() as AddressInfo).port,
    agent,
    async close() {
      if (!server.listening) return;
      agent.destroy();
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
