import { ConfigError } from './core/errors.js';
import { Secret } from './core/secret.js';
import { type Variables, httpUrl, variables } from './variables.js';

/** `TRIBUTARY_PROVIDER_<ID>_…`: families of variables, one per provider. */
const BASE_URL = /^TRIBUTARY_PROVIDER_([A-Z0-9_]+)_BASE_URL$/;
const OAUTH_URL = /^TRIBUTARY_PROVIDER_([A-Z0-9_]+)_OAUTH_URL$/;
const CLIENT_ID = /^TRIBUTARY_PROVIDER_([A-Z0-9_]+)_CLIENT_ID$/;
const CLIENT_SECRET = /^TRIBUTARY_PROVIDER_([A-Z0-9_]+)_CLIENT_SECRET$/;

export interface Config extends Variables {
  /** Provider id → base URL, from TRIBUTARY_PROVIDER_<ID>_BASE_URL. */
  readonly providerBaseUrls: ReadonlyMap<string, string>;
  /** Provider id → where its OAuth endpoints are instead, from TRIBUTARY_PROVIDER_<ID>_OAUTH_URL. */
  readonly providerOAuthUrls: ReadonlyMap<string, string>;
  /** Provider id → the operator's OAuth app, from TRIBUTARY_PROVIDER_<ID>_CLIENT_ID and _CLIENT_SECRET. */
  readonly oauthApps: ReadonlyMap<string, { readonly clientId: string; readonly clientSecret: Secret }>;
  /** TRIBUTARY_SECRET_<NAME>: what references of env:// read in development. */
  readonly secretVariables: Readonly<Record<string, string | undefined>>;
}

/** Parses the environment. An empty value counts as unset, as it does in compose files. Throws {@link ConfigError}. */
export function readConfig(env: Env): Config {
  const problems: string[] = [];
  const values = Object.fromEntries(
    Object.entries(variables).map(([name, variable]) => {
      const parsed = variable.schema.safeParse(env[name] || variable.default);
      if (!parsed.success) problems.push(`${name}: ${parsed.error.issues[0]?.message ?? 'not valid'}`);
      return [name, parsed.data];
    }),
  ) as Variables;
  const providerBaseUrls = readUrls(env, BASE_URL, problems);
  const providerOAuthUrls = readUrls(env, OAUTH_URL, problems);
  const oauthApps = readOAuthApps(env, problems);
  if (problems.length === 0) problems.push(...contradictions(values));
  if (problems.length > 0)
    throw new ConfigError(`Configuration: ${problems.join('; ')}. See docs/config.md.`);
  return {
    ...values,
    providerBaseUrls,
    providerOAuthUrls,
    oauthApps,
    secretVariables: readSecretVariables(env),
  };
}

type Env = Readonly<Record<string, string | undefined>>;

/** What one family of variables is set to, by provider. */
function readFamily(env: Env, family: RegExp): Map<string, { name: string; value: string }> {
  const found = new Map<string, { name: string; value: string }>();
  for (const [name, value] of Object.entries(env)) {
    const id = family.exec(name)?.[1];
    if (id && value) found.set(id.toLowerCase().replaceAll('_', '-'), { name, value });
  }
  return found;
}

function readUrls(env: Env, family: RegExp, problems: string[]): Map<string, string> {
  const urls = new Map<string, string>();
  for (const [id, { name, value }] of readFamily(env, family)) {
    const parsed = httpUrl.safeParse(value);
    if (parsed.success) urls.set(id, parsed.data);
    else problems.push(`${name}: not an http(s) URL`);
  }
  return urls;
}

function readOAuthApps(env: Env, problems: string[]): Config['oauthApps'] {
  const ids = readFamily(env, CLIENT_ID);
  const secrets = readFamily(env, CLIENT_SECRET);
  const alone = [...ids, ...secrets].filter(([id]) => !ids.has(id) || !secrets.has(id));
  for (const [, { name }] of alone)
    problems.push(`${name}: client id and client secret must be set together`);
  return new Map(
    [...ids].map(([id, { value }]) => [
      id,
      { clientId: value, clientSecret: new Secret(secrets.get(id)?.value ?? '') },
    ]),
  );
}

function readSecretVariables(env: Env): Config['secretVariables'] {
  const secrets = Object.entries(env).filter(
    ([name]) => name.startsWith('TRIBUTARY_SECRET_') && !(name in variables),
  );
  return Object.fromEntries(secrets);
}

/** What each key provider can't do without, beside `local`. */
const keyVariables = {
  'aws-kms': ['TRIBUTARY_AWS_KMS_KEY'],
  'gcp-kms': ['TRIBUTARY_GCP_KMS_KEY'],
  'azure-key-vault': ['TRIBUTARY_AZURE_KEY'],
  'vault-transit': ['TRIBUTARY_VAULT_TRANSIT_KEY', 'VAULT_ADDR'],
} as const;

function missingKeys({ TRIBUTARY_KEY_PROVIDER: chosen, ...values }: Variables): string[] {
  if (chosen === 'local') return [];
  return keyVariables[chosen]
    .filter((name) => !values[name])
    .map((name) => `${name}: must be set when TRIBUTARY_KEY_PROVIDER is ${chosen}`);
}

/** An access key without its secret, or beside a token, would leave it open who signs. */
function isWitnessUnclear(values: Variables): boolean {
  const aws = [
    values.RECEIPT_WITNESS_AWS_REGION,
    values.RECEIPT_WITNESS_AWS_ACCESS_KEY_ID,
    values.RECEIPT_WITNESS_AWS_SECRET_ACCESS_KEY,
  ].filter((value) => value !== undefined).length;
  return aws > 0 && (aws < 3 || values.RECEIPT_WITNESS_TOKEN !== undefined);
}

/** What no single variable shows: combinations that would start and then be unsafe. */
function contradictions(values: Variables): string[] {
  const isProd = values.TRIBUTARY_ENVIRONMENT === 'prod';
  const hasJwks = values.AUTH_JWKS_URL !== undefined;
  return [
    isProd && !hasJwks && 'AUTH_JWKS_URL: must be set in prod, where development tokens are refused',
    isProd &&
      values.TRIBUTARY_KEY_PROVIDER === 'local' &&
      !values.TRIBUTARY_MASTER_KEY &&
      'TRIBUTARY_MASTER_KEY: must be set in prod, unless TRIBUTARY_KEY_PROVIDER names another key provider',
    ...missingKeys(values),
    Boolean(values.VAULT_ADDR) !== Boolean(values.VAULT_TOKEN) &&
      'VAULT_ADDR and VAULT_TOKEN: must be set together',
    isWitnessUnclear(values) &&
      'RECEIPT_WITNESS_AWS_REGION, _ACCESS_KEY_ID and _SECRET_ACCESS_KEY: must be set together, and without RECEIPT_WITNESS_TOKEN',
    isProd && !values.DATABASE_URL && 'DATABASE_URL: must be set in prod',
    values.GRAPHQL_COST_PER_MINUTE > 0 &&
      values.GRAPHQL_COST_PER_MINUTE < values.GRAPHQL_MAX_COST &&
      'GRAPHQL_COST_PER_MINUTE: must not be less than GRAPHQL_MAX_COST, unless it is 0',
    hasJwks && !values.AUTH_ISSUER && 'AUTH_ISSUER: must be set together with AUTH_JWKS_URL',
    hasJwks && !values.AUTH_AUDIENCE && 'AUTH_AUDIENCE: must be set together with AUTH_JWKS_URL',
  ].filter((problem) => typeof problem === 'string');
}
