import type { FailureVocabulary, ResetHeader } from './failure.js';
import { type JsonObject, type JsonSchema, textAt } from './json.js';
import type { OAuth } from './oauth.js';
import type { SignalType } from './signal.js';

export const categories = [
  'SOURCE_CONTROL',
  'CI_CD',
  'ISSUE_TRACKER',
  'CHAT',
  'EMAIL',
  'KNOWLEDGE',
  'OBSERVABILITY',
  'INCIDENT',
  'CLOUD',
  'IDENTITY',
  'ITSM',
  'CRM',
  'ERP',
  'HR',
  'AI',
  'GENERIC',
] as const;
export type Category = (typeof categories)[number];

export const stages = ['ALPHA', 'BETA', 'GA', 'DEPRECATED'] as const;
export type Stage = (typeof stages)[number];

export const capabilities = ['WEBHOOK', 'POLLING', 'ACTIONS', 'PROXY', 'ENRICHMENT'] as const;
export type Capability = (typeof capabilities)[number];

export const authMethods = [
  'OAUTH2',
  'OAUTH2_CLIENT_CREDENTIALS',
  'API_KEY',
  'BASIC',
  'BEARER',
  'IAM_ROLE',
  'SERVICE_ACCOUNT',
  'NONE',
] as const;
export type AuthMethod = (typeof authMethods)[number];

export interface ApiVersion {
  readonly version: string;
  readonly default: boolean;
  readonly deprecated: boolean;
  /** RFC 3339. */
  readonly sunsetAt?: string;
}

/** A scope at the provider, what needs it and why: the tenant's admin reads the reason before granting it. */
export interface ScopeRequirement {
  readonly scope: string;
  readonly capabilities: readonly Capability[];
  readonly reason: string;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** By which headers a provider's answers tell how a bucket stands; all names in lower case. */
export interface LimitHeaders {
  /** How many points are left. */
  readonly remaining: string;
  /** When the bucket is full again. */
  readonly reset: ResetHeader;
  /** Only answers with exactly these headers are about this bucket. Left out: all are. */
  readonly when?: Readonly<Record<string, string>>;
}

/** A window that the provider counts one connection's calls in. We count along, so that it rarely has to say no. */
export interface RateLimitRule {
  readonly bucket: string;
  readonly points: number;
  readonly durationSeconds: number;
  /** Which calls are counted here. Left out: all. */
  readonly methods?: readonly Method[];
  /** Points that a call takes, by its method. Left out: 1. */
  readonly costs?: Readonly<Partial<Record<Method, number>>>;
  /** Corrects our count by what the provider tells. */
  readonly headers?: LimitHeaders;
  /** The provider's page that says so. */
  readonly source?: string;
}

/** A signal this connector can make, and from which of the provider's events. */
export interface TriggerDefinition {
  readonly signalType: SignalType;
  readonly title: string;
  readonly providerEvents: readonly string[];
  readonly via: readonly Capability[];
}

/** A provider that customers can run themselves. A connection to such a place names it by the setting `baseUrl`. */
export interface SelfManaged {
  /** Where its API lies below the address that people open: `/api/v4`. */
  readonly apiPath: string;
}

/** Everything about a provider that is data. No function, no secret: it is published through GraphQL as it stands. */
export interface Manifest {
  /** Lower case, equal to the connector's folder; also its place in webhook URLs. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly category: Category;
  readonly stage: Stage;
  /** The connector's own semantic version. */
  readonly version: string;
  readonly apiVersions: readonly ApiVersion[];
  readonly documentationUrl: string;
  readonly logoUrl?: string;
  /** https, without a trailing slash. An operator may override it by TRIBUTARY_PROVIDER_<ID>_BASE_URL. */
  readonly baseUrl: string;
  /** Absent: there is only the provider's own service. Else settingsSchema has `baseUrlSetting`. */
  readonly selfManaged?: SelfManaged;
  /** Sent with every request: media type, pinned API version, user agent. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Where versions of the API are spoken side by side: the header that names one. A connection chooses by the setting
   * `apiVersion`; without it, {@link Manifest.headers} say which.
   */
  readonly versionHeader?: string;
  readonly authMethods: readonly AuthMethod[];
  /** Absent: no method of it is OAuth. */
  readonly oauth?: OAuth;
  /** The fields of a credential; every one of them is secret. */
  readonly credentialSchema: JsonSchema;
  /** Methods whose credential has other fields than {@link Manifest.credentialSchema}. */
  readonly credentialSchemas?: Readonly<Partial<Record<AuthMethod, JsonSchema>>>;
  readonly settingsSchema: JsonSchema;
  readonly scopes: readonly ScopeRequirement[];
  readonly rateLimits: readonly RateLimitRule[];
  readonly triggers: readonly TriggerDefinition[];
  readonly failures: FailureVocabulary;
  /**
   * What of an event's body is not kept: paths to e-mail addresses, names or tokens, where `*` stands for every element.
   * It is taken out before anything is made of the body, so no signal may need it.
   */
  readonly redact?: readonly (readonly string[])[];
}

/** What {@link Manifest.headers} are overruled by for a connection whose settings choose a version. */
export function versionHeaders(
  { versionHeader }: Manifest,
  settings: JsonObject,
): Readonly<Record<string, string>> {
  const version = versionHeader && textAt(settings, 'apiVersion');
  return versionHeader && version ? { [versionHeader]: version } : {};
}
