import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import type { GcpOptions } from '../../../src/credential/reference/gcp.js';
import { type FakeAnswer, type FakeProvider, type FakeRequest, startFakeProvider } from '../fake-provider.js';

/** Base64, and the checksum as the service sends it: a number in decimal text. */
export interface FakeGcpVersion {
  readonly data: string;
  readonly dataCrc32c?: string;
}

/** Google Secret Manager's REST API, `access` only, with the token service that its clients ask first. */
export interface FakeGcp extends FakeProvider {
  readonly options: GcpOptions;
  /** By resource name, `projects/P/secrets/S/versions/V`. */
  readonly versions: Map<string, FakeGcpVersion>;
  /** Resource names that are refused so. */
  readonly failing: Map<string, FakeAnswer>;
}

const ACCESS_TOKEN = 'fake-google-token';

/** While it runs, GOOGLE_APPLICATION_CREDENTIALS leads to its token service. */
export async function startFakeGcp(): Promise<FakeGcp> {
  const fake = await startFakeProvider();
  const versions: FakeGcp['versions'] = new Map();
  const failing: FakeGcp['failing'] = new Map();
  fake.on('GET /subject-token', () => ({ status: 200, body: 'fake-subject-token' }));
  fake.on('POST /sts', () => ({
    status: 200,
    body: {
      access_token: ACCESS_TOKEN,
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: 3_600,
    },
  }));
  fake.on('GET /v1/projects/{project}/secrets/{secret}/versions/{access}', (request) =>
    answer(request, versions, failing),
  );
  const folder = mkdtempSync(join(tmpdir(), 'fake-gcp-'));
  const file = join(folder, 'credentials.json');
  writeFileSync(file, JSON.stringify(credentialsOf(fake.url)));
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', file);
  // Unset, the client asks Google which project it is in.
  vi.stubEnv('GOOGLE_CLOUD_PROJECT', 'fake');
  return {
    ...fake,
    versions,
    failing,
    options: { endpoint: fake.url },
    async close() {
      vi.unstubAllEnvs();
      rmSync(folder, { recursive: true, force: true });
      await fake.close();
    },
  };
}

/** Workload identity federation, the form of credentials in which the token service's address is part of them. */
function credentialsOf(url: string): object {
  return {
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/fake/providers/fake',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${url}/sts`,
    credential_source: { url: `${url}/subject-token` },
  };
}

/** https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access */
function answer(
  { path, headers }: FakeRequest,
  versions: FakeGcp['versions'],
  failing: FakeGcp['failing'],
): FakeAnswer {
  if (headers['authorization'] !== `Bearer ${ACCESS_TOKEN}`) return gcpError(401, 'UNAUTHENTICATED');
  const name = decodeURIComponent(path).replace(/^\/v1\/(.*):access$/, '$1');
  const failure = failing.get(name);
  if (failure) return failure;
  const payload = versions.get(name);
  return payload ? { status: 200, body: { name, payload } } : gcpError(404, 'NOT_FOUND');
}

/** https://google.aip.dev/193. The message holds what must not be repeated. */
export function gcpError(code: number, status: string): FakeAnswer {
  return { status: code, body: { error: { code, message: `planted-in-an-error: ${status}`, status } } };
}
