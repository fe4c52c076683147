import { describe, expect, it } from 'vitest';
import { example } from '../../connectors/example/index.js';
import { github } from '../../connectors/github/index.js';
import { gitlab } from '../../connectors/gitlab/index.js';
import { defineConnector } from './connector.js';
import { apiUrlOf } from './self-managed.js';

describe('where the API is', () => {
  it.each([
    [gitlab, {}, 'https://gitlab.com/api/v4'],
    [gitlab, { baseUrl: 'https://git.example.com' }, 'https://git.example.com/api/v4'],
    [gitlab, { baseUrl: 'https://example.com/git' }, 'https://example.com/git/api/v4'],
    [github, {}, 'https://api.github.com'],
    [github, { baseUrl: 'https://ghe.example.com' }, 'https://ghe.example.com/api/v3'],
    [example, { baseUrl: 'https://evil.example' }, example.manifest.baseUrl],
  ])('%#', ({ manifest }, settings, expected) => {
    expect(apiUrlOf(manifest, settings)).toBe(expected);
  });
});

describe('a connector that can be elsewhere', () => {
  const { manifest } = example;

  it('has to check what it is given', () => {
    const careless = { ...manifest, selfManaged: { apiPath: '/api' } };
    expect(() => defineConnector({ ...example, manifest: careless })).toThrow('needs baseUrlSetting');
    const settingsSchema = { type: 'object', properties: { baseUrl: { type: 'string' } } };
    const loose = { ...careless, settingsSchema };
    expect(() => defineConnector({ ...example, manifest: loose })).toThrow('needs baseUrlSetting');
  });
});
