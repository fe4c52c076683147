import type { Credential } from '../connector/index.js';
import { ProviderFailure } from '../connector/index.js';
import { Secret } from '../core/secret.js';
import type { OAuthFailure } from '../credential/oauth/failure.js';
import type { Demand } from '../credential/oauth/judge.js';
import type { RefreshOutcome } from '../credential/oauth/refresh.js';
import { SecretReferenceError } from '../credential/reference/error.js';
import { isReference } from '../credential/reference/reference.js';
import type { SecretReferences } from '../credential/reference/references.js';

/** What the requests of one piece of work are signed with. Throws ProviderFailure where there is nothing to sign with. */
export interface Material {
  /** Of the credential last given; 0 where only a candidate is tried and none is stored. */
  version(): number;
  /** Renewed when it ends within so many seconds; by default within the next. */
  current(aheadSeconds?: number): Promise<Credential>;
  /** Another one, after the provider refused this one as wrong (401). Null: there is none. */
  afterRefusal(refused: Credential): Promise<Credential | null>;
}

/** The code of a failure that only a person’s consent ends. */
export const reauthorizationRequired = 'reauthorization_required';

/** The fields of a credential as they are stored: secrets, or references to them. */
export type Fields = Readonly<Record<string, string>>;

/** A credential that is given from outside and stays as it is: nothing else is tried when it is refused. */
export function candidateMaterial(credential: Credential, version: number): Material {
  return { version: () => version, current: async () => credential, afterRefusal: async () => null };
}

export interface StoredFields {
  readonly version: number;
  readonly fields: Fields;
  /** Unseals the one before, while it counts. */
  readonly previous: (() => Promise<Fields>) | null;
}

/**
 * A credential that people replace. When it is refused, what it refers to is looked up once more; and the one before
 * is tried while it counts, as a provider may take a moment to know a new one everywhere.
 */
export function fieldsMaterial(
  { version, fields, previous }: StoredFields,
  tenantId: string,
  references: SecretReferences,
): Material {
  return {
    version: () => version,
    current: () => resolveFields(references, tenantId, fields).catch(asProviderFailure),
    async afterRefusal(refused) {
      const refers = Object.values(fields).some(isReference);
      const renewed =
        refers && (await resolveFields(references, tenantId, fields, true).catch(asProviderFailure));
      if (renewed && !isSame(refused, renewed)) return renewed;
      return previous && resolveFields(references, tenantId, await previous()).catch(asProviderFailure);
    },
  };
}

/** What tokens have to be good for. */
export type TokenDemand = Omit<Demand, 'rule'>;

export interface TokenSource {
  tokens(demand: TokenDemand): Promise<RefreshOutcome>;
  /** Called when the connection needs a person again; `version`: of the tokens that can't be renewed. */
  expire(failure: OAuthFailure, version: number): Promise<void>;
  readonly version: number;
}

/** Tokens that are renewed as they end, and at once when they are refused. */
export function tokenMaterial(source: TokenSource): Material {
  let { version } = source;
  async function take(outcome: RefreshOutcome): Promise<Credential> {
    if (outcome.kind === 'ready') ({ version } = outcome);
    const tokens = outcome.kind === 'ready' || outcome.kind === 'failed' ? outcome.tokens : null;
    if (tokens) return { accessToken: tokens.accessToken };
    if (outcome.kind === 'lost' || outcome.kind === 'refused') {
      await source.expire(outcome.failure, version);
    }
    throw toProviderFailure(outcome);
  }
  return {
    version: () => version,
    current: async (aheadSeconds) =>
      take(await source.tokens(aheadSeconds === undefined ? {} : { aheadSeconds })),
    async afterRefusal() {
      const refusedVersion = version;
      const outcome = await source.tokens({ refusedVersion });
      // The old ones were just refused: without new ones there is nothing else to try.
      if (outcome.kind === 'failed') return null;
      const another = await take(outcome);
      return version === refusedVersion ? null : another;
    },
  };
}

/** What a token endpoint said, in the vocabulary of providers' failures. */
export function oauthFailure(failure: OAuthFailure): ProviderFailure {
  const { kind, message, status, retryAt } = failure;
  const categories = { unreachable: 'NETWORK', lost: 'NETWORK', server: 'PROVIDER' } as const;
  return new ProviderFailure(
    {
      category: kind in categories ? categories[kind as keyof typeof categories] : 'AUTH',
      code: `oauth_${kind}`,
      message,
      ...(status !== undefined && { providerStatus: status }),
      ...(retryAt && { retryAt }),
    },
    { cause: failure },
  );
}

function toProviderFailure(outcome: RefreshOutcome): ProviderFailure {
  if (outcome.kind === 'failed') {
    if (outcome.failure) return oauthFailure(outcome.failure);
    return new ProviderFailure({
      category: 'PROVIDER',
      code: 'refresh_failed',
      message: 'The access token could not be renewed a moment ago.',
      retryAt: outcome.retryAt,
    });
  }
  return new ProviderFailure({
    category: 'AUTH',
    code: reauthorizationRequired,
    message: outcome.kind === 'ready' ? 'There is no access token.' : outcome.failure.message,
  });
}

function isSame(one: Credential, other: Credential): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every((name) => one[name]?.reveal() === other[name]?.reveal());
}

/** Looks up what is referred to; what is no reference is the secret itself. Throws SecretReferenceError. */
export async function resolveFields(
  references: SecretReferences,
  tenantId: string,
  fields: Fields,
  fresh = false,
): Promise<Credential> {
  const resolved = await Promise.all(
    Object.entries(fields).map(async ([name, value]) => {
      const secret = isReference(value)
        ? await references.resolve(value, tenantId, { fresh })
        : new Secret(value);
      return [name, secret] as const;
    }),
  );
  return Object.fromEntries(resolved);
}

/** Where the tenant keeps the secret is a matter between its admin and that place: data, like a provider's failure. */
function asProviderFailure(error: unknown): never {
  if (!(error instanceof SecretReferenceError)) throw error;
  throw new ProviderFailure(
    {
      category: error.kind === 'unavailable' ? 'NETWORK' : 'AUTH',
      code: `secret_${error.kind}`,
      message: error.message,
    },
    { cause: error },
  );
}
