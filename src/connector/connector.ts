import type { Secret } from '../core/secret.js';
import type { ProviderContext } from './context.js';
import type { TokenSet } from './oauth.js';
import { type JsonObject, type JsonSchema, at } from './json.js';
import type { Capability, Manifest } from './manifest.js';
import type { Mapping } from './mapping.js';
import type { Poll } from './poll.js';
import { BASE_URL_PATTERN } from './self-managed.js';
import type { SignalDraft } from './signal.js';
import type { Verb, VerbInput } from './verbs.js';
import type { ProviderEvent, Webhook } from './webhook.js';

/** The secret fields of a credential, by the names of the manifest's credentialSchema. */
export type Credential = Readonly<Record<string, Secret>>;

/** Who we are at the provider. */
export interface ProviderIdentity {
  readonly account: { readonly id: string; readonly name: string; readonly url?: string };
  /** Undefined when the provider does not tell: fine-grained tokens and the like. */
  readonly grantedScopes: readonly string[] | undefined;
  /**
   * How deliveries to an app name this account, see {@link Webhook.accountOf}: Slack's team, GitHub's installation, Linear's
   * organisation, Notion's workspace or person. Tell it only where the credential proves that its holder may see what the app is
   * told of that account. Left out: nothing sent to an app reaches this connection.
   */
  readonly appAccount?: string;
  /**
   * What later calls need and only an answer told: the site of an Atlassian grant. Kept among the connection's settings,
   * over what stood there, so they are valid by settingsSchema.
   */
  readonly settings?: JsonObject;
}

/** What a person consented to, and to whom. */
export interface OAuthGrant {
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly tokens: TokenSet;
}

/** A JSON Web Token to be signed (RFC 7519). Times are seconds, from now. */
export interface JwtRequest {
  readonly issuer: string;
  readonly algorithm: 'RS256' | 'ES256';
  /** PEM, PKCS #1 or #8. */
  readonly privateKey: Secret;
  /** `iat` is this long ago, for clocks that disagree. */
  readonly issuedSecondsAgo: number;
  readonly lifeSeconds: number;
}

/** What issuing a token may use: requests that carry no signature of ours, and a signer. */
export interface IssueContext extends ProviderContext {
  /** Throws ProviderFailure for a key that can't be read. */
  signJwt(request: JwtRequest): Promise<string>;
}

/** An access token of a service account. */
export interface IssuedToken {
  /** In clear, as it came; it is wrapped as soon as it is handed over. */
  readonly accessToken: string;
  /** Null: it does not expire. */
  readonly expiresAt: Date | null;
}

export interface Auth {
  /** The headers that prove who we are. The only connector code that sees a credential. */
  sign(credential: Credential): Readonly<Record<string, string>>;
  /** The cheapest signed read that tells who we are. */
  identify(context: ProviderContext): Promise<ProviderIdentity>;
  /**
   * Turns the credential of a SERVICE_ACCOUNT into an access token, where RFC 7523 is not the provider's way. Asked again whenever the
   * token ends; each time gives a token of its own.
   */
  issue?(context: IssueContext, credential: Credential): Promise<IssuedToken>;
  /**
   * Ends an OAuth grant in the provider's own way, where RFC 7009 is not it. `unsigned` sends without our signature: the
   * app proves itself. A grant that is gone already counts as ended.
   */
  revoke?(unsigned: ProviderContext, grant: OAuthGrant): Promise<void>;
}

export const idempotencyGuarantees = ['NATIVE', 'RECONCILED', 'AT_MOST_ONCE'] as const;
/**
 * How a repeated action is kept to one effect: the provider itself refuses or absorbs the second (NATIVE),
 * we look for the first before sending again (RECONCILED), or we never send again (AT_MOST_ONCE).
 */
export type IdempotencyGuarantee = (typeof idempotencyGuarantees)[number];

export interface ActionContext extends ProviderContext {
  /** Ours; stable over all attempts. */
  readonly actionId: string;
  /** Invisible to readers, searchable by us: an HTML comment that carries the action's id. Put it into the text that is created. */
  readonly marker: string;
  /** When the first attempt began or a little earlier, to bound a search for its effect. */
  readonly startedAt: Date;
}

/** What an action brought about. */
export interface ActionOutcome {
  /** The provider's id of what was made or changed. */
  readonly externalId: string;
  readonly url?: string;
  /** As the verb's outputSchema says. */
  readonly output: JsonObject;
}

/** One canonical verb at one provider. */
export interface ActionSpec<V extends Verb> {
  readonly title: string;
  readonly description: string;
  /** Any one of these is enough. Empty: none needed. */
  readonly requiredScopes: readonly string[];
  readonly idempotency: IdempotencyGuarantee;
  readonly outputSchema: JsonSchema;
  /**
   * What an input has to be beside the verb's own schema, where the connection's settings say so. Checked before the
   * action begins.
   */
  inputSchema?(settings: JsonObject, input: JsonObject): JsonSchema;
  /** Does it. With NATIVE it may be called again with the same actionId and must not have a second effect. */
  execute(context: ActionContext, input: VerbInput<V>): Promise<ActionOutcome>;
  /**
   * Looks for the effect of an earlier attempt whose answer was lost. Null means: certainly not there.
   * When it can't be known, throw. Required with RECONCILED.
   */
  reconcile?(context: ActionContext, input: VerbInput<V>): Promise<ActionOutcome | null>;
}

/** What is wrong with one setting. */
export interface SettingsProblem {
  /** As a dotted path. */
  readonly path: string;
  readonly problem: string;
}

export type Actions = { readonly [V in Verb]?: ActionSpec<V> };

/** Our code for one provider: a table of contents over the files of its folder. An absent part is an absent capability. */
export interface Connector {
  readonly manifest: Manifest;
  readonly auth: Auth;
  readonly webhook?: Webhook;
  readonly poll?: Poll;
  /**
   * One event to its signals. Pure, total and deterministic: no clock, no I/O, no mutation, and an event it does not
   * know becomes one `provider_event`. Serves webhook, poll and replay alike.
   */
  readonly normalize?: (event: ProviderEvent) => readonly SignalDraft[];
  /** Where settings may say how events become signals; see {@link Mapping}. Needs `normalize` for those that don't. */
  readonly mapping?: Mapping;
  /** What is wrong with settings that fit the schema all the same: names that lead nowhere. Pure. */
  readonly checkSettings?: (settings: JsonObject) => readonly SettingsProblem[];
  readonly actions?: Actions;
}

const ID = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** Checks what types can't and freezes the result, so that a connector is data from then on. Throws a plain Error at start-up. */
export function defineConnector(connector: Connector): Connector {
  const { manifest, auth, webhook, poll, normalize, actions = {} } = connector;
  const problems = [
    !ID.test(manifest.id) && 'manifest.id must be lower case words joined by "-"',
    !manifest.baseUrl.startsWith('https://') && 'manifest.baseUrl must be https',
    manifest.selfManaged &&
      at(manifest.settingsSchema, 'properties', 'baseUrl', 'pattern') !== BASE_URL_PATTERN &&
      'selfManaged needs baseUrlSetting in settingsSchema',
    manifest.baseUrl.endsWith('/') && 'manifest.baseUrl must not end with "/"',
    manifest.oauth &&
      ![manifest.oauth.authorizationUrl, manifest.oauth.tokenUrl].every((url) =>
        url.startsWith('https://'),
      ) &&
      'manifest.oauth must use https',
    manifest.authMethods.includes('SERVICE_ACCOUNT') &&
      !auth.issue &&
      !manifest.oauth &&
      'SERVICE_ACCOUNT needs auth.issue, or manifest.oauth for assertions by RFC 7523',
    webhook && !normalize && 'a connector with webhook needs normalize',
    connector.mapping && !normalize && 'a connector with mapping needs normalize',
    poll && !normalize && 'a connector with poll needs normalize',
    poll && !(poll.overlapSeconds >= 0) && 'poll.overlapSeconds must not be negative',
    ...Object.entries(actions).map(
      ([verb, spec]) =>
        spec.idempotency === 'RECONCILED' &&
        !spec.reconcile &&
        `actions.${verb} is RECONCILED and needs reconcile`,
    ),
  ].filter((problem) => typeof problem === 'string');
  if (problems.length > 0) throw new Error(`connector ${manifest.id}: ${problems.join('; ')}`);
  return Object.freeze(connector);
}

/** What the connector can do, derived from the parts it has. */
export function capabilitiesOf(connector: Connector): readonly Capability[] {
  return [
    ...(connector.webhook ? (['WEBHOOK'] as const) : []),
    ...(connector.poll ? (['POLLING'] as const) : []),
    ...(connector.actions ? (['ACTIONS'] as const) : []),
  ];
}
