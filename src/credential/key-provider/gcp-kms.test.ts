import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Behavior } from '../../../test/support/fake-provider.js';
import {
  type Refusal,
  describeKeyProvider,
  describeServiceCalls,
  failureOf,
} from '../../../test/support/fake-kms/contract.js';
import { fakeGcpKey, gcpAnswer, startFakeGcpKms } from '../../../test/support/fake-kms/gcp.js';
import { createGcpKmsKeyProvider } from './gcp-kms.js';

const name = { tenantId: 'acme', version: 1 };

async function start(deadlineMs?: number, account = 0) {
  const { server, credentials, ...fake } = await startFakeGcpKms(account);
  const credentialsFile = useCredentials(credentials);
  const options = { key: fakeGcpKey, endpoint: server.url, deadlineMs };
  const provider = createGcpKmsKeyProvider(options);
  onTestFinished(async () => {
    await provider.close();
    await server.close();
  });
  const rotate = () => {
    fake.rotate();
    return provider;
  };
  return { provider, server, fake, rotate, options, credentials, credentialsFile };
}

/** As an operator gives them. */
function useCredentials(credentials: object): string {
  const dir = mkdtempSync(join(tmpdir(), 'tributary-gcp-'));
  const file = join(dir, 'credentials.json');
  writeFileSync(file, JSON.stringify(credentials));
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', file);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(dir, { recursive: true });
  });
  return file;
}

function refusal(code: number, status: string, kind: Refusal['kind'], advice: RegExp): Refusal {
  return { answer: gcpAnswer(code, status, 'as the service puts it'), kind, advice };
}

const refusals: Readonly<Record<string, Refusal>> = {
  RESOURCE_EXHAUSTED: refusal(429, 'RESOURCE_EXHAUSTED', 'throttled', /quota.*as the service puts it/),
  UNAVAILABLE: refusal(503, 'UNAVAILABLE', 'unavailable', /status\.cloud/),
  INTERNAL: refusal(500, 'INTERNAL', 'unavailable', /status\.cloud/),
  DEADLINE_EXCEEDED: refusal(504, 'DEADLINE_EXCEEDED', 'unavailable', /status\.cloud/),
  PERMISSION_DENIED: refusal(403, 'PERMISSION_DENIED', 'denied', /cryptoKeyEncrypterDecrypter/),
  NOT_FOUND: refusal(404, 'NOT_FOUND', 'missing', /TRIBUTARY_GCP_KMS_KEY/),
  FAILED_PRECONDITION: refusal(400, 'FAILED_PRECONDITION', 'missing', /Enable or restore/),
  INVALID_ARGUMENT: refusal(400, 'INVALID_ARGUMENT', 'missing', /ENCRYPT_DECRYPT/),
};

/** Does it, and tells something else of it than what is true. */
function retell(change: (body: Record<string, unknown>) => object): Behavior {
  return ({ perform, send }) => {
    const done = perform();
    send({ ...done, body: change(done.body as Record<string, unknown>) });
  };
}

const isAny = () => true;

describe('Google Cloud KMS', () => {
  describeKeyProvider(start);
  describeServiceCalls(start, refusals);

  it('names the version that wrapped', async () => {
    const { provider, rotate } = await start();
    expect((await provider.wrap(randomBytes(32), name)).keyId).toBe(`${fakeGcpKey}/cryptoKeyVersions/1`);
    expect((await rotate().wrap(randomBytes(32), name)).keyId).toBe(`${fakeGcpKey}/cryptoKeyVersions/2`);
  });

  it.each<[string, (body: Record<string, unknown>) => object]>([
    ['the ciphertext', (body) => ({ ...body, ciphertext: randomBytes(60).toString('base64') })],
    ['its checksum', (body) => ({ ...body, ciphertextCrc32c: '1' })],
    ['our plaintext', (body) => ({ ...body, verifiedPlaintextCrc32c: false })],
    ['our additional data', (body) => ({ ...body, verifiedAdditionalAuthenticatedDataCrc32c: false })],
    ['the version', (body) => ({ ...body, name: 'projects/other/cryptoKeyVersions/1' })],
  ])('is not believed when %s was altered on the way: wrap', async (_, change) => {
    const { provider, server } = await start();
    const altered = retell(change);
    server.next(isAny, altered, altered, altered);
    expect(await failureOf(provider.wrap(randomBytes(32), name))).toMatchObject({ kind: 'unavailable' });
    // A fault that passes is waited out.
    server.next(isAny, altered);
    expect((await provider.wrap(randomBytes(32), name)).provider).toBe('gcp-kms');
  });

  it.each<[string, (body: Record<string, unknown>) => object]>([
    ['the data key', (body) => ({ ...body, plaintext: randomBytes(32).toString('base64') })],
    ['its checksum', (body) => ({ ...body, plaintextCrc32c: '1' })],
  ])('is not believed when %s was altered on the way: unwrap', async (_, change) => {
    const { provider, server } = await start();
    const wrapped = await provider.wrap(randomBytes(32), name);
    const altered = retell(change);
    server.next(isAny, altered, altered, altered);
    expect(await failureOf(provider.unwrap(wrapped, name))).toMatchObject({ kind: 'unavailable' });
  });

  it('is asked by no key but those configured', async () => {
    const { provider, server, options } = await start();
    const wrapped = await provider.wrap(randomBytes(32), name);
    const other = 'projects/p/locations/global/keyRings/r/cryptoKeys/other';
    const calls = server.requests.length;
    const failure = await failureOf(
      provider.unwrap({ ...wrapped, keyId: `${other}/cryptoKeyVersions/1` }, name),
    );
    expect(failure.kind).toBe('missing');
    expect(failure.message).toContain(`TRIBUTARY_GCP_KMS_KEY_PREVIOUS to it`);
    expect(server.requests).toHaveLength(calls);
    const moved = createGcpKmsKeyProvider({ ...options, key: other, previousKeys: [fakeGcpKey] });
    onTestFinished(() => moved.close());
    expect(await moved.unwrap(wrapped, name)).toHaveLength(32);
  });

  it('does not unwrap by a disabled version', async () => {
    const { provider, fake } = await start();
    const wrapped = await provider.wrap(randomBytes(32), name);
    fake.disable();
    expect(await failureOf(provider.unwrap(wrapped, name))).toMatchObject({ kind: 'missing' });
  });

  it('refuses another account’s key', async () => {
    const { provider, credentialsFile } = await start();
    const { credentials } = await start(undefined, 1);
    writeFileSync(credentialsFile, JSON.stringify(credentials));
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', credentialsFile);
    const failure = await failureOf(provider.wrap(randomBytes(32), name));
    expect(failure).toMatchObject({
      kind: 'denied',
      message: expect.stringContaining('GOOGLE_APP') as string,
    });
  });

  it('is not to blame when it is the token that can’t be had', async () => {
    const { provider, server, credentialsFile } = await start();
    server.on('POST /token', () => ({ status: 400, body: { error: 'invalid_grant' } }));
    const subject = `${credentialsFile}.subject`;
    writeFileSync(subject, 'a token of another cloud');
    const federated = {
      type: 'external_account',
      audience: '//iam.googleapis.com/fake',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${server.url}/token`,
      credential_source: { file: subject },
    };
    writeFileSync(credentialsFile, JSON.stringify(federated));
    vi.stubEnv('GOOGLE_CLOUD_PROJECT', 'fake');
    const stored = { provider: 'gcp-kms', keyId: `${fakeGcpKey}/cryptoKeyVersions/1` } as const;
    const failure = await failureOf(provider.unwrap({ ...stored, wrapped: randomBytes(60) }, name));
    expect(failure).toMatchObject({
      kind: 'denied',
      message: expect.stringContaining('invalid_grant') as string,
    });
  });

  it('is asked as soon as there are credentials', async () => {
    const { provider, credentials, credentialsFile } = await start();
    writeFileSync(credentialsFile, '{}');
    const failure = await failureOf(provider.wrap(randomBytes(32), name));
    expect(failure).toMatchObject({
      kind: 'denied',
      message: expect.stringContaining('GOOGLE_APP') as string,
    });
    writeFileSync(credentialsFile, JSON.stringify(credentials));
    expect((await provider.wrap(randomBytes(32), name)).provider).toBe('gcp-kms');
  });
});
