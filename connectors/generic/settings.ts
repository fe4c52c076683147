import { BASE_URL_PATTERN, baseUrlSetting } from '../../src/connector/index.js';

// What a tenant declares, as types and as the schema that holds it to them.

/** How a sender proves itself. Every secret is the connection's webhook secret. */
export type Scheme =
  | { readonly scheme: 'none' }
  | { readonly scheme: 'standard_webhooks' }
  | { readonly scheme: 'basic'; readonly username?: string }
  /** Without a header: `Authorization: Bearer`. With one, the header is the secret itself. */
  | { readonly scheme: 'bearer'; readonly header?: string }
  | Hmac;

export interface Hmac {
  readonly scheme: 'hmac';
  readonly header: string;
  readonly algorithm?: 'sha256' | 'sha512' | 'sha1';
  readonly encoding?: 'hex' | 'base64';
  readonly prefix?: string;
  /** Between several signatures, or parts, in the one header. */
  readonly separator?: ',' | ' ';
  readonly secretEncoding?: 'text' | 'base64' | 'hex';
  /** What is signed: `{body}`, with `{timestamp}` and `{id}` where they are signed too. */
  readonly signed?: string;
  readonly timestamp?: Timestamp;
}

export interface Timestamp {
  readonly header: string;
  /** In front of it, where it stands among other parts: `t=`. */
  readonly prefix?: string;
  readonly unit?: 'seconds' | 'milliseconds';
  readonly toleranceSeconds?: number;
}

/** Where an event's name and id stand. */
export interface Naming {
  readonly idHeader?: string;
  /** A dotted path into the body. */
  readonly idField?: string;
  readonly typeHeader?: string;
  readonly typeField?: string;
}

/** One thing that can be done, as `custom` finds it by its name. */
export interface ActionTemplate {
  readonly title?: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the base URL; `{name}` is filled by a parameter. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON in which `{{name}}` is filled by a parameter. */
  readonly body?: unknown;
  /** A JSON Schema of the parameters, of which each names a type. */
  readonly parameters?: {
    readonly type: 'object';
    readonly properties?: Readonly<Record<string, object>>;
    readonly required?: readonly string[];
  };
  /** Where the answer tells what was made, as dotted paths. */
  readonly result?: { readonly id?: string; readonly url?: string };
}

export interface Settings {
  readonly baseUrl?: string;
  readonly verify?: { readonly path: string; readonly account?: string };
  readonly webhook?: Scheme;
  readonly event?: Naming;
  readonly mapping?: string;
  readonly actions?: Readonly<Record<string, ActionTemplate>>;
}

const header = {
  type: 'string',
  pattern: '^[a-z0-9-]+$',
  maxLength: 64,
  description: 'A header’s name, in lower case.',
} as const;
const dotted = {
  type: 'string',
  pattern: '^[^.{}]+(\\.[^.{}]+)*$',
  maxLength: 255,
  description: 'A dotted path: "order.id".',
} as const;
const path = {
  type: 'string',
  // No query, no fragment, and nothing that leads up or to another host.
  pattern: "^(/[A-Za-z0-9_~{}:@!$&'()*+,;=%-][A-Za-z0-9._~{}:@!$&'()*+,;=%-]*)+/?$",
  maxLength: 500,
  description: 'Below the base URL: "/orders/{order}".',
} as const;
const text = { type: 'string', maxLength: 2_000 } as const;

function scheme(name: string, properties: object, required: readonly string[] = []) {
  return {
    type: 'object',
    additionalProperties: false,
    required: ['scheme', ...required],
    properties: { scheme: { const: name }, ...properties },
  } as const;
}

const timestamp = {
  type: 'object',
  additionalProperties: false,
  required: ['header'],
  properties: {
    header,
    prefix: { type: 'string', minLength: 1, maxLength: 20 },
    unit: { enum: ['seconds', 'milliseconds'], description: 'Since 1970. Left out: seconds.' },
    toleranceSeconds: {
      type: 'integer',
      minimum: 1,
      maximum: 3_600,
      description: 'How far it may be from our clock, both ways. Left out: 300.',
    },
  },
} as const;

const hmac = scheme(
  'hmac',
  {
    header: { ...header, description: 'Where the signature stands: "x-signature".' },
    algorithm: { enum: ['sha256', 'sha512', 'sha1'], description: 'Left out: sha256.' },
    encoding: { enum: ['hex', 'base64'], description: 'Left out: hex.' },
    prefix: { type: 'string', minLength: 1, maxLength: 20, description: 'In front of it: "sha256=".' },
    separator: { enum: [',', ' '], description: 'Where the header holds several signatures or parts.' },
    secretEncoding: {
      enum: ['text', 'base64', 'hex'],
      description: 'What the secret stands for. Left out: its text.',
    },
    signed: {
      type: 'string',
      pattern: '\\{body\\}',
      maxLength: 200,
      description: 'What is signed, with {body}, {timestamp} and {id} filled in. Left out: "{body}".',
    },
    timestamp,
  },
  ['header'],
);

const schemes = {
  none: scheme('none', {}),
  standard_webhooks: scheme('standard_webhooks', {}),
  basic: scheme('basic', {
    username: {
      type: 'string',
      minLength: 1,
      maxLength: 100,
      pattern: '^[^:]+$',
      description: 'Left out: tributary. The password is the webhook’s secret.',
    },
  }),
  bearer: scheme('bearer', { header }),
  hmac,
};

/** Nothing that could run long, or reach for another schema: no `pattern`, no `$ref`. */
const parameter = {
  type: 'object',
  additionalProperties: false,
  required: ['type'],
  properties: {
    type: { enum: ['string', 'number', 'integer', 'boolean', 'array', 'object'] },
    description: { type: 'string', maxLength: 500 },
    enum: {
      type: 'array',
      minItems: 1,
      maxItems: 100,
      items: { anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }] },
    },
    minLength: { type: 'integer', minimum: 0 },
    maxLength: { type: 'integer', minimum: 0 },
    minimum: { type: 'number' },
    maximum: { type: 'number' },
    maxItems: { type: 'integer', minimum: 0 },
  },
} as const;

const identifier = '^[A-Za-z_][A-Za-z0-9_]{0,63}$';

const action = {
  type: 'object',
  additionalProperties: false,
  required: ['method', 'path'],
  properties: {
    title: { type: 'string', maxLength: 100 },
    method: { enum: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] },
    path,
    query: { type: 'object', maxProperties: 30, additionalProperties: text },
    headers: { type: 'object', maxProperties: 20, propertyNames: header, additionalProperties: text },
    body: { description: 'JSON in which "{{name}}" is filled by a parameter.' },
    parameters: {
      type: 'object',
      additionalProperties: false,
      required: ['type'],
      properties: {
        type: { const: 'object' },
        properties: {
          type: 'object',
          maxProperties: 30,
          propertyNames: { type: 'string', pattern: identifier },
          additionalProperties: parameter,
        },
        required: { type: 'array', maxItems: 30, uniqueItems: true, items: { type: 'string' } },
      },
    },
    result: {
      type: 'object',
      additionalProperties: false,
      properties: { id: dotted, url: dotted },
    },
  },
} as const;

export const settingsSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    baseUrl: {
      ...baseUrlSetting('service'),
      pattern: BASE_URL_PATTERN,
      description:
        'Where actions go, and nowhere else: "https://api.example.com/v2". Left out: there are none.',
    },
    verify: {
      type: 'object',
      additionalProperties: false,
      required: ['path'],
      properties: { path, account: { ...dotted, description: 'Where the answer names the account.' } },
      description: 'A GET by which the credential is tried. Left out: it is taken as it is.',
    },
    webhook: {
      type: 'object',
      required: ['scheme'],
      properties: { scheme: { enum: Object.keys(schemes) } },
      // One after the other and not `oneOf`, so that what is wrong is told of the scheme that was meant.
      allOf: Object.entries(schemes).map(([name, schema]) => ({
        if: { properties: { scheme: { const: name } }, required: ['scheme'] },
        // oxlint-disable-next-line unicorn/no-thenable -- JSON Schema calls it so, and nobody awaits a schema
        then: schema,
      })),
      description: 'How deliveries prove who sent them. Left out: standard_webhooks.',
    },
    event: {
      type: 'object',
      additionalProperties: false,
      properties: { idHeader: header, idField: dotted, typeHeader: header, typeField: dotted },
      description: 'Where a delivery’s id and type stand.',
    },
    mapping: {
      type: 'string',
      minLength: 1,
      maxLength: 16_384,
      description: 'JSONata that makes a signal, or a list of them, of the body. See docs/generic.md.',
    },
    actions: {
      type: 'object',
      maxProperties: 50,
      propertyNames: { type: 'string', pattern: identifier },
      additionalProperties: action,
      description: 'What custom can do, by name.',
    },
  },
} as const;
