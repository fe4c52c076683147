import type { Manifest } from '../../src/connector/index.js';
import { RESERVED_HEADERS } from './check.js';
import { settingsSchema } from './settings.js';

const secret = { type: 'string', minLength: 1, maxLength: 4_000 } as const;
/** A pasted line break would end the header. */
const word = { ...secret, pattern: '^\\S+$' } as const;

/** Any service at all. Its facts are what its tenant declares. */
export const manifest: Manifest = {
  id: 'generic',
  name: 'Generic HTTP',
  description: 'Any service that sends JSON by webhook or takes JSON by HTTP, as your settings describe it.',
  category: 'GENERIC',
  stage: 'BETA',
  version: '0.1.0',
  apiVersions: [],
  documentationUrl: 'https://www.standardwebhooks.com',
  // There is no such place (RFC 2606): a connection names its own.
  baseUrl: 'https://generic.invalid',
  selfManaged: { apiPath: '' },
  headers: { accept: 'application/json', 'user-agent': 'Tributary' },

  authMethods: ['NONE', 'BEARER', 'BASIC', 'API_KEY'],
  credentialSchema: { type: 'object', additionalProperties: false, properties: {} },
  credentialSchemas: {
    BEARER: {
      type: 'object',
      additionalProperties: false,
      required: ['token'],
      properties: { token: { ...word, description: 'Sent as Authorization: Bearer.' } },
    },
    BASIC: {
      type: 'object',
      additionalProperties: false,
      required: ['username', 'password'],
      properties: {
        username: { ...secret, pattern: '^[^:]+$', description: 'Without a colon.' },
        password: { ...secret, description: 'Sent as Authorization: Basic, with the name.' },
      },
    },
    API_KEY: {
      type: 'object',
      additionalProperties: false,
      required: ['key'],
      properties: {
        key: { ...word, description: 'Sent as it is, in the header.' },
        header: {
          type: 'string',
          pattern: '^[a-z0-9-]{1,64}$',
          not: { enum: RESERVED_HEADERS },
          description: 'Which header, in lower case. Left out: x-api-key.',
        },
      },
    },
  },
  settingsSchema,
  scopes: [],
  // Nothing is known of it. `setCallBudget` sets a bound of your own.
  rateLimits: [],
  triggers: [
    {
      signalType: 'provider_event',
      title: 'Whatever your mapping makes of it; as it is, without one',
      providerEvents: ['*'],
      via: ['WEBHOOK'],
    },
  ],
  failures: { rules: [], resets: [] },
};
