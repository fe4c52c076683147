import { describe, expect, it } from 'vitest';
import { readConfig } from './config.js';

const key = Buffer.alloc(32, 7).toString('base64');
const prod = {
  TRIBUTARY_ENVIRONMENT: 'prod',
  AUTH_JWKS_URL: 'https://id.example.com/keys',
  AUTH_ISSUER: 'https://id.example.com',
  AUTH_AUDIENCE: 'tributary',
  TRIBUTARY_MASTER_KEY: key,
  DATABASE_URL: 'postgres://app@db.example.com/tributary',
};

describe('readConfig', () => {
  it('has a default for everything a developer needs', () => {
    expect(readConfig({})).toMatchObject({
      HOST: '127.0.0.1',
      PORT: 4000,
      TRIBUTARY_ENVIRONMENT: 'dev',
      EGRESS_ALLOW: [],
    });
  });

  it('takes an empty value for unset, as compose files have them', () => {
    expect(readConfig({ PORT: '', DATABASE_URL: '' })).toMatchObject({ PORT: 4000, DATABASE_URL: undefined });
  });

  it.each([
    ['PORT', 'many'],
    ['PORT', '70000'],
    ['PUBLIC_URL', 'ftp://example.com'],
    ['DATABASE_URL', 'mysql://localhost/x'],
    ['TRIBUTARY_ENVIRONMENT', 'production'],
    ['TRIBUTARY_MASTER_KEY', 'c2hvcnQ='],
    ['WEBHOOK_MAX_BYTES', '0'],
    ['LOG_LEVEL', 'loud'],
    ['TRIBUTARY_PROVIDER_GITHUB_BASE_URL', 'github'],
  ])('names %s when it is %j', (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(new RegExp(`^Configuration: ${name}: `));
  });

  it('never repeats a value: it may be a secret', () => {
    expect(() => readConfig({ TRIBUTARY_MASTER_KEY: 'c2VjcmV0IGtleQ==' })).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('c2VjcmV0') }),
    );
  });

  it('names all that is wrong at once', () => {
    expect(() => readConfig({ PORT: 'x', LOG_LEVEL: 'y' })).toThrow(/PORT: .*LOG_LEVEL: /);
  });

  it('accepts a complete production environment and refuses it with any part missing', () => {
    expect(readConfig(prod).TRIBUTARY_ENVIRONMENT).toBe('prod');
    for (const name of Object.keys(prod).filter((one) => one !== 'TRIBUTARY_ENVIRONMENT')) {
      expect(() => readConfig({ ...prod, [name]: undefined }), name).toThrow(
        new RegExp(`${name}: must be set`),
      );
    }
  });

  it('reads base URLs by provider id', () => {
    const { providerBaseUrls } = readConfig({
      TRIBUTARY_PROVIDER_GITHUB_BASE_URL: 'http://127.0.0.1:9/api/',
      TRIBUTARY_PROVIDER_AZURE_DEVOPS_BASE_URL: 'https://example.com',
    });
    expect([...providerBaseUrls]).toEqual([
      ['github', 'http://127.0.0.1:9/api'],
      ['azure-devops', 'https://example.com'],
    ]);
  });
});
