import { describe, expect, it, vi } from 'vitest';
import { answer } from '../../../test/support/fake-behavior.js';
import {
  PLANTED,
  TENANT,
  describeStore,
  failureOf,
  referencesTo,
} from '../../../test/support/fake-secrets/contract.js';
import { type FakeGcp, gcpError, startFakeGcp } from '../../../test/support/fake-secrets/gcp.js';
import { crc32c } from '../key-provider/crc32c.js';
import type { SecretReferences } from './references.js';

const SECRET = 'projects/tributary-acme/secrets/github';
const PATTERN = 'gcp-sm://projects/tributary-{tenant}/*';

function versionOf(bytes: string | Buffer): { data: string; dataCrc32c: string } {
  const buffer = Buffer.from(bytes);
  return { data: buffer.toString('base64'), dataCrc32c: String(crc32c(buffer)) };
}

async function start(): Promise<{ fake: FakeGcp; references: SecretReferences }> {
  const fake = await startFakeGcp();
  fake.versions.set(`${SECRET}/versions/latest`, versionOf('{"token":"new ü"}'));
  fake.versions.set(`${SECRET}/versions/1`, versionOf('{"token":"old"}'));
  return { fake, references: referencesTo({ fake, options: { gcp: fake.options }, pattern: PATTERN }) };
}

describeStore('Google Secret Manager', async () => {
  const fake = await startFakeGcp();
  fake.versions.set(`${SECRET}/versions/latest`, versionOf(PLANTED));
  return {
    fake,
    options: { gcp: fake.options },
    pattern: PATTERN,
    reference: `gcp-sm://${SECRET}`,
    match: ({ path }) => path.startsWith('/v1/projects/'),
    isRetried: true,
  };
});

describe('Google Secret Manager', () => {
  it.each([
    [`gcp-sm://${SECRET}`, '{"token":"new ü"}'],
    [`gcp-sm://${SECRET}/versions/latest#token`, 'new ü'],
    [`gcp-sm://${SECRET}/versions/1#token`, 'old'],
  ])('gives %s', async (reference, text) => {
    const { references } = await start();
    expect((await references.resolve(reference, TENANT)).reveal()).toBe(text);
  });

  it('takes a secret that comes without a checksum', async () => {
    const { fake, references } = await start();
    fake.versions.set(`${SECRET}/versions/2`, { data: versionOf('bare').data });
    expect((await references.resolve(`gcp-sm://${SECRET}/versions/2`, TENANT)).reveal()).toBe('bare');
  });

  it('does not take a secret that arrived damaged', async () => {
    const { fake, references } = await start();
    const { dataCrc32c } = versionOf('planted');
    fake.versions.set(`${SECRET}/versions/2`, { ...versionOf('plbnted'), dataCrc32c });
    expect(await failureOf(references.resolve(`gcp-sm://${SECRET}/versions/2`, TENANT))).toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('damaged'),
    });
  });

  it('says that a binary secret is none', async () => {
    const { fake, references } = await start();
    fake.versions.set(`${SECRET}/versions/2`, versionOf(Buffer.from('ff00ff', 'hex')));
    expect(await failureOf(references.resolve(`gcp-sm://${SECRET}/versions/2`, TENANT))).toMatchObject({
      kind: 'missing',
      message: expect.stringContaining('binary'),
    });
  });

  it.each([
    [404, 'NOT_FOUND', 'missing', 'no such secret'],
    [400, 'FAILED_PRECONDITION', 'missing', 'destroyed'],
    [403, 'PERMISSION_DENIED', 'denied', 'Secret Accessor'],
    [401, 'UNAUTHENTICATED', 'denied', 'own Google credentials'],
    [429, 'RESOURCE_EXHAUSTED', 'unavailable', 'code'],
    [500, 'INTERNAL', 'unavailable', 'code 13'],
  ])('%i %s is %s', async (status, name, kind, hint) => {
    const { fake, references } = await start();
    fake.failing.set(`${SECRET}/versions/latest`, gcpError(status, name));
    expect(await failureOf(references.resolve(`gcp-sm://${SECRET}`, TENANT))).toMatchObject({
      kind,
      message: expect.stringContaining(hint),
    });
  });
});

describe('Google credentials', () => {
  it('that are not where they should be are denied', async () => {
    const { references } = await start();
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '/nowhere/credentials.json');
    expect(await failureOf(references.resolve(`gcp-sm://${SECRET}`, TENANT))).toMatchObject({
      kind: 'denied',
      message: expect.stringContaining('own Google credentials'),
    });
  });

  it.each([
    [400, 'denied', 'own Google credentials'],
    [503, 'unavailable', 'HTTP 503'],
  ])('for which the token service answers %i: %s', async (status, kind, hint) => {
    const { fake, references } = await start();
    const refusal = { error: 'invalid_grant', error_description: 'planted' };
    fake.next('POST /sts', ...Array.from({ length: 9 }, () => answer({ status, body: refusal })));
    expect(await failureOf(references.resolve(`gcp-sm://${SECRET}`, TENANT))).toMatchObject({
      kind,
      message: expect.stringContaining(hint),
    });
  });
});
