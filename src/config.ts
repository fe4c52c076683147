import { z } from 'zod';
import { ConfigError } from './core/errors.js';

const port = z.coerce.number().int().min(0).max(65_535);
const bytes = z.coerce.number().int().min(1);
const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  .transform((url) => url.replace(/\/$/, ''));
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);
const masterKey = z
  .base64()
  .refine(
    (text) => Buffer.from(text, 'base64').length === 32,
    'must be 32 bytes in base64 (openssl rand -base64 32)',
  );

/**
 * Every variable Tributary reads: how it is parsed, what it is when unset, and the sentence docs/config.md and
 * .env.example carry. Nothing else in the product reads process.env.
 */
export const variables = {
  HOST: { schema: z.string(), default: '127.0.0.1', doc: 'Address to listen on. In a container: 0.0.0.0.' },
  PORT: {
    schema: port,
    default: '4000',
    doc: 'Port of GraphQL, webhooks and everything else. 0 takes a free one.',
  },
  PUBLIC_URL: {
    schema: httpUrl.optional(),
    default: undefined,
    doc: 'How providers reach this server from outside; the base of webhook URLs. Unset: http://HOST:PORT.',
  },
  TRIBUTARY_DATA_DIR: {
    schema: z.string().min(1),
    default: '.tributary',
    doc: 'Where the embedded PostgreSQL, the development keys and the data directory’s lock live.',
  },
  TRIBUTARY_ENVIRONMENT: {
    schema: z.enum(['dev', 'stage', 'prod']),
    default: 'dev',
    doc: 'dev, stage or prod. Stands on every signal. prod refuses development tokens, generated keys and embedded PostgreSQL.',
  },
  DATABASE_URL: {
    schema: z
      .url({
        protocol: /^postgres(ql)?$/,
        error: 'must be a URL such as postgres://user:password@host/database',
      })
      .optional(),
    default: undefined,
    doc: 'PostgreSQL 14 or newer, as a role that may create tables and roles. Unset: an embedded PostgreSQL is started.',
  },
  REDIS_URL: {
    schema: z.url({ protocol: /^rediss?$/, error: 'must be a URL such as redis://host:6379' }).optional(),
    default: undefined,
    doc: 'Redis, to share rate limits between processes. Unset: each process keeps its own. Never the truth: it may be lost at any time.',
  },
  AUTH_JWKS_URL: {
    schema: httpUrl.optional(),
    default: undefined,
    doc: 'Where the keys that sign tokens are published. Unset: development tokens (`npm run token`), except in prod.',
  },
  AUTH_ISSUER: {
    schema: z.string().optional(),
    default: undefined,
    doc: 'Required `iss` of tokens. Set it together with AUTH_JWKS_URL.',
  },
  AUTH_AUDIENCE: {
    schema: z.string().optional(),
    default: undefined,
    doc: 'Required `aud` of tokens. Set it together with AUTH_JWKS_URL.',
  },
  TRIBUTARY_MASTER_KEY: {
    schema: masterKey.optional(),
    default: undefined,
    doc: '32 bytes in base64 that seal every stored secret. Unset outside prod: made once in the data directory, mode 0600.',
  },
  EGRESS_ALLOW: {
    schema: list,
    default: '',
    doc: 'CIDR ranges, separated by commas, that may be called although they are private. For sandboxes.',
  },
  WEBHOOK_MAX_BYTES: {
    schema: bytes,
    default: String(25 * 1024 * 1024),
    doc: 'Largest webhook body. The default is GitHub’s own cap.',
  },
  WEBHOOK_RATE_PER_SECOND: {
    schema: z.coerce.number().int().min(1),
    default: '1000',
    doc: 'Webhooks one connection may send to one process each second before it gets 429.',
  },
  LOG_LEVEL: {
    schema: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
    default: 'info',
    doc: 'fatal, error, warn, info, debug, trace or silent.',
  },
} as const satisfies Record<string, { schema: z.ZodType; default: string | undefined; doc: string }>;

/** `TRIBUTARY_PROVIDER_<ID>_BASE_URL`: a family of variables, one per provider. */
const BASE_URL = /^TRIBUTARY_PROVIDER_([A-Z0-9_]+)_BASE_URL$/;
export const providerBaseUrlDoc =
  'Another API address for this provider (id in upper case, `-` as `_`), for sandboxes and tests. A private address also needs EGRESS_ALLOW.';

type Variables = { [K in keyof typeof variables]: z.output<(typeof variables)[K]['schema']> };

export interface Config extends Variables {
  /** Provider id → base URL, from TRIBUTARY_PROVIDER_<ID>_BASE_URL. */
  readonly providerBaseUrls: ReadonlyMap<string, string>;
}

/** Parses the environment. An empty value counts as unset, as it does in compose files. Throws {@link ConfigError}. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const values = Object.fromEntries(
    Object.entries(variables).map(([name, variable]) => {
      const parsed = variable.schema.safeParse(env[name] || variable.default);
      if (!parsed.success) problems.push(`${name}: ${parsed.error.issues[0]?.message ?? 'not valid'}`);
      return [name, parsed.data];
    }),
  ) as Variables;
  const providerBaseUrls = readBaseUrls(env, problems);
  if (problems.length === 0) problems.push(...contradictions(values));
  if (problems.length > 0)
    throw new ConfigError(`Configuration: ${problems.join('; ')}. See docs/config.md.`);
  return { ...values, providerBaseUrls };
}

function readBaseUrls(
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
): Map<string, string> {
  const urls = new Map<string, string>();
  for (const [name, value] of Object.entries(env)) {
    const id = BASE_URL.exec(name)?.[1];
    if (!id || !value) continue;
    const parsed = httpUrl.safeParse(value);
    if (parsed.success) urls.set(id.toLowerCase().replaceAll('_', '-'), parsed.data);
    else problems.push(`${name}: not an http(s) URL`);
  }
  return urls;
}

/** What no single variable shows: combinations that would start and then be unsafe. */
function contradictions(values: Variables): string[] {
  const isProd = values.TRIBUTARY_ENVIRONMENT === 'prod';
  const hasJwks = values.AUTH_JWKS_URL !== undefined;
  return [
    isProd && !hasJwks && 'AUTH_JWKS_URL: must be set in prod, where development tokens are refused',
    isProd && !values.TRIBUTARY_MASTER_KEY && 'TRIBUTARY_MASTER_KEY: must be set in prod',
    isProd && !values.DATABASE_URL && 'DATABASE_URL: must be set in prod',
    hasJwks && !values.AUTH_ISSUER && 'AUTH_ISSUER: must be set together with AUTH_JWKS_URL',
    hasJwks && !values.AUTH_AUDIENCE && 'AUTH_AUDIENCE: must be set together with AUTH_JWKS_URL',
  ].filter((problem) => typeof problem === 'string');
}
