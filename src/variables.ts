import { z } from 'zod';
import { graphqlVariables } from './graphql-variables.js';
import { keyProviderNames } from './credential/key-provider/key-provider.js';

const port = z.coerce.number().int().min(0).max(65_535);
const bytes = z.coerce.number().int().min(1);
/** A URL without a trailing slash. */
export const httpUrl = z
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
    doc: 'Redis, to share rate limits between processes, and to tell each other of new signals. Unset: each process keeps its own limits, and PostgreSQL’s NOTIFY tells. Never the truth: it may be lost at any time.',
  },
  ENTITY_EVENTS_REDIS_URL: {
    schema: z.url({ protocol: /^rediss?$/, error: 'must be a URL such as redis://host:6379' }).optional(),
    default: undefined,
    doc: 'Redis, at which gateways listen for the keys of signals and connections that are new or have changed. See docs/gateways.md. Unset: none are published.',
  },
  ENTITY_EVENTS_PREFIX: {
    schema: z.string().regex(/^[\w.-]+$/, 'must be letters, digits, and _ . -'),
    default: 'tributary',
    doc: 'What the names of the channels at ENTITY_EVENTS_REDIS_URL begin with: another one for each installation that publishes there.',
  },
  MONGODB_URL: {
    schema: z
      .url({ protocol: /^mongodb(\+srv)?$/, error: 'must be a URL such as mongodb://host:27017/tributary' })
      .optional(),
    default: undefined,
    doc: 'MongoDB, to keep the background jobs in. Unset: they are in PostgreSQL. Never the truth: it may be lost at any time. See docs/jobs.md.',
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
  TRIBUTARY_MASTER_KEY_PREVIOUS: {
    schema: list.pipe(z.array(masterKey)),
    default: '',
    doc: 'Former master keys, separated by commas. They only open, until `npm run tributary -- rewrap-keys` has been through.',
  },
  TRIBUTARY_KEY_PROVIDER: {
    schema: z.enum(keyProviderNames),
    default: 'local',
    doc: `Who holds the key that wraps the tenants’ data keys: ${keyProviderNames.join(', ')}. See docs/key-providers.md.`,
  },
  TRIBUTARY_AWS_KMS_KEY: {
    schema: z.string().optional(),
    default: undefined,
    doc: 'For aws-kms: id, ARN or alias (alias/…) of a symmetric key. The client reads AWS_REGION and credentials by itself.',
  },
  TRIBUTARY_GCP_KMS_KEY: {
    schema: z
      .string()
      .regex(/^projects\/.+\/cryptoKeys\/[^/]+$/, 'must be projects/…/locations/…/keyRings/…/cryptoKeys/…')
      .optional(),
    default: undefined,
    doc: 'For gcp-kms: the key’s resource name. The client reads GOOGLE_APPLICATION_CREDENTIALS by itself.',
  },
  TRIBUTARY_GCP_KMS_KEY_PREVIOUS: {
    schema: list,
    default: '',
    doc: 'Former keys of gcp-kms, separated by commas. They only unwrap.',
  },
  TRIBUTARY_AZURE_KEY: {
    schema: httpUrl.optional(),
    default: undefined,
    doc: 'For azure-key-vault: an RSA key’s identifier without a version, https://<vault>.vault.azure.net/keys/<name>. The client reads AZURE_* by itself.',
  },
  TRIBUTARY_AZURE_KEY_PREVIOUS: {
    schema: list,
    default: '',
    doc: 'Former keys of azure-key-vault, separated by commas. They only unwrap.',
  },
  TRIBUTARY_VAULT_TRANSIT_KEY: {
    schema: z
      .string()
      .regex(/^.+\/[^/]+$/, 'must be mount and key, such as transit/tributary')
      .optional(),
    default: undefined,
    doc: 'For vault-transit: mount and key, such as transit/tributary.',
  },
  TRIBUTARY_VAULT_TRANSIT_KEY_PREVIOUS: {
    schema: list,
    default: '',
    doc: 'Former keys of vault-transit, separated by commas. They only unwrap.',
  },
  VAULT_ADDR: {
    schema: httpUrl.optional(),
    default: undefined,
    doc: 'HashiCorp Vault’s address, for vault-transit and for references of vault://.',
  },
  VAULT_TOKEN: {
    schema: z.string().optional(),
    default: undefined,
    doc: 'The token for VAULT_ADDR. Never logged.',
  },
  VAULT_NAMESPACE: {
    schema: z.string().optional(),
    default: undefined,
    doc: 'The namespace at VAULT_ADDR, where it has namespaces.',
  },
  TRIBUTARY_SECRET_REFERENCES: {
    schema: list,
    default: '',
    doc: 'Which secrets tenants may refer to instead of giving a credential: patterns, separated by commas, such as vault://kv/tenants/{tenant}/*. See docs/secret-references.md. Unset: none.',
  },
  SUBSCRIPTION_CALLBACK_URLS: {
    schema: list.pipe(z.array(httpUrl)),
    default: '',
    doc: 'Where subscriptions by HTTP callback may post to: the `public_url` of each router, separated by commas; everything below one counts. See docs/gateways.md. Unset: there are none.',
  },
  ...graphqlVariables,
  OAUTH_RETURN_TO: {
    schema: list.pipe(z.array(httpUrl)),
    default: '',
    doc: 'Where a browser may be sent after an OAuth authorization: URLs, separated by commas; everything below one counts. Unset: a plain page is shown.',
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
    doc: 'Webhooks, and events of adapters, that one process takes for one connection each second before it answers 429.',
  },
  WEBHOOK_APP_RATE_PER_SECOND: {
    schema: z.coerce.number().int().min(1),
    default: '10000',
    doc: 'Webhooks that one process takes at the address of one app each second, signed or not, before it answers 429. Each connection that they are for has WEBHOOK_RATE_PER_SECOND besides.',
  },
  DELIVERY_RETENTION_DAYS: {
    schema: z.coerce.number().int().min(1),
    default: '30',
    doc: 'Days after which the body of a stored delivery is deleted. Until then it can be redriven and replayed; its id is kept.',
  },
  SIGNAL_RETENTION_DAYS: {
    schema: z.coerce.number().int().min(1).optional(),
    default: undefined,
    doc: 'Days after which a signal is deleted, and the body of its delivery with it, for tenants on no plan. Cursors from before that are CURSOR_EXPIRED. Unset: never. Plans are in src/signal/retention.ts; days of a tenant’s own, in the column signal_days of the table tenant_plans.',
  },
  PROVIDER_CALL_RETENTION_DAYS: {
    schema: z.coerce.number().int().min(1),
    default: '30',
    doc: 'Days that the integration log keeps a call to a provider.',
  },
  RECEIPT_LOG_HOST: {
    schema: z
      .string()
      .regex(/^[^\s+]+$/, 'must have neither spaces nor plus')
      .optional(),
    default: undefined,
    doc: 'What the names of receipts’ logs begin with, as checkpoints give them: <this>/receipts/<tenant>. A log keeps the name it began with. Unset: the host of PUBLIC_URL, or localhost.',
  },
  RECEIPT_WITNESS_URL: {
    schema: httpUrl.optional(),
    default: undefined,
    doc: 'Where checkpoints of all receipts’ logs are kept out of the database’s reach: a store of objects that takes PUT and GET below this URL, and honors If-None-Match. See docs/receipts.md. Unset: nowhere.',
  },
  RECEIPT_WITNESS_TOKEN: {
    schema: z
      .string()
      .regex(/^[!-~]+$/, 'must be a token without spaces')
      .optional(),
    default: undefined,
    doc: 'Sent to RECEIPT_WITNESS_URL as a bearer token. Never logged.',
  },
  RECEIPT_WITNESS_AWS_REGION: {
    schema: z.string().optional(),
    default: undefined,
    doc: 'For a RECEIPT_WITNESS_URL that is a bucket of Amazon S3, or speaks like it: requests are signed for this region by AWS Signature Version 4. Set it together with the two keys below, and without RECEIPT_WITNESS_TOKEN.',
  },
  RECEIPT_WITNESS_AWS_ACCESS_KEY_ID: {
    schema: z.string().optional(),
    default: undefined,
    doc: 'The access key that those requests are signed with.',
  },
  RECEIPT_WITNESS_AWS_SECRET_ACCESS_KEY: {
    schema: z.string().optional(),
    default: undefined,
    doc: 'The secret of that access key. Never logged.',
  },
  RECEIPT_RETENTION_DAYS: {
    schema: z.coerce.number().int().min(1).optional(),
    default: undefined,
    doc: 'Days after which the body of a receipt (who, what was asked, what came of it) is deleted, for tenants on no plan. Its place in the log stays. Unset: never. Plans are in src/receipt/retention.ts.',
  },
  TRIBUTARY_MAX_CONNECTIONS_PER_TENANT: {
    schema: z.coerce.number().int().min(1),
    default: '1000',
    doc: 'Connections that a tenant may have which is on no plan. Plans are in src/connection/quota.ts; which tenant is on which, in the table tenant_plans.',
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    schema: httpUrl.optional(),
    default: undefined,
    doc: 'Where traces go: base URL of an OpenTelemetry collector that takes OTLP over HTTP, such as http://127.0.0.1:4318. Unset: there are no traces. The exporter reads OTEL_EXPORTER_OTLP_HEADERS and OTEL_RESOURCE_ATTRIBUTES by itself. See docs/observability.md.',
  },
  OTEL_SERVICE_NAME: {
    schema: z.string().min(1),
    default: 'tributary',
    doc: 'The name of this service in traces.',
  },
  OTEL_TRACES_SAMPLER_ARG: {
    schema: z.coerce.number().min(0).max(1),
    default: '1',
    doc: 'Which part of the traces that begin here is recorded, 0 to 1. Whoever calls with a traceparent has decided that for his.',
  },
  METRICS_TENANTS: {
    schema: z.coerce.number().int().min(0).max(1_000),
    default: '0',
    doc: 'How many tenants get a label of their own in tributary_tenant_usage_total; all others share one. 0: there is no such metric.',
  },
  LOG_LEVEL: {
    schema: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
    default: 'info',
    doc: 'fatal, error, warn, info, debug, trace or silent.',
  },
} as const satisfies Record<string, { schema: z.ZodType; default: string | undefined; doc: string }>;

/** What docs/config.md says of TRIBUTARY_PROVIDER_<ID>_BASE_URL. */
export const providerBaseUrlDoc =
  'Another API address for this provider (id in upper case, `-` as `_`), for sandboxes and tests. A private address also needs EGRESS_ALLOW.';

/** The table's values, parsed. */
export type Variables = { [K in keyof typeof variables]: z.output<(typeof variables)[K]['schema']> };
