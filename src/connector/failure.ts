/** What kind of trouble a provider gave us. The vocabulary of actions, receipts, health and GraphQL alike. */
export const failureCategories = [
  'AUTH',
  'INVALID',
  'NOT_FOUND',
  'RATE_LIMIT',
  'BUDGET',
  'CIRCUIT_OPEN',
  'PROVIDER',
  'NETWORK',
  'UNKNOWN',
] as const;
export type FailureCategory = (typeof failureCategories)[number];

export interface ProviderFailureDetails {
  readonly category: FailureCategory;
  /** Stable, lower_snake: the provider's own code where it has one, else ours (`timeout`, `http_503`). */
  readonly code: string;
  /** For a person: what happened and what to do. Never carries a credential. */
  readonly message: string;
  /** HTTP status of the provider's answer; absent when there was none. */
  readonly providerStatus?: number;
  /** Not before this moment. */
  readonly retryAt?: Date;
  /**
   * True when the request may have taken effect although no usable answer came (a lost connection after sending,
   * a timeout, a 5xx). Such a call is reconciled before it is ever sent again.
   */
  readonly isAmbiguous?: boolean;
  /** True when another credential may be tried: the provider did nothing, because it did not take this one. A 401 says so by itself. */
  readonly isCredentialRefused?: boolean;
}

/**
 * A provider's failure: data, not a bug. Services turn it into a failed action, a receipt or a status reason;
 * it never becomes a GraphQL error. Connectors throw it when an answer of 200 is a failure in disguise.
 */
export class ProviderFailure extends Error {
  override readonly name = 'ProviderFailure';
  readonly details: ProviderFailureDetails;

  constructor(details: ProviderFailureDetails, options?: ErrorOptions) {
    super(details.message, options);
    this.details = details;
  }
}

/** How a header tells when to come back. Units differ per provider: reference in each connector's manifest. */
export interface ResetHeader {
  /** Lower case. */
  readonly header: string;
  /** `duration` is Go's way to write one: `1s`, `6m0s`, `20ms`. */
  readonly unit:
    | 'seconds'
    | 'milliseconds'
    | 'duration'
    | 'epoch_seconds'
    | 'epoch_milliseconds'
    | 'rfc3339'
    | 'http_date';
  /** The time is meant by the provider's clock, which its Date header tells: ours may differ from it. */
  readonly byDateHeader?: boolean;
}

/** Recognises a provider's failure that its HTTP status alone does not tell. Rules are tried in order; the first that fits decides. */
export interface FailureRule {
  /** A 2xx is a failure only where a rule names it. */
  readonly status: readonly number[];
  /** All of these headers (lower case) must have exactly these values. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The answer's text must contain this, ignoring case. */
  readonly bodyContains?: string;
  /** The answer must be JSON with exactly this there. For a 2xx, which may hold anybody's text. */
  readonly bodyHas?: { readonly path: readonly string[]; readonly value: string | boolean };
  readonly category: FailureCategory;
  readonly code: string;
  /** Wait at least this long when no header says more. */
  readonly waitSeconds?: number;
  /**
   * The vocabulary's reset headers are about another limit than this one, and only Retry-After counts. GitHub sends
   * its hourly reset with every answer, also when a limit of a minute was hit.
   */
  readonly ignoresResets?: boolean;
  /** A 5xx that turns the request away before anything is done (529, "overloaded"): nothing can have happened. */
  readonly isRefusal?: boolean;
  /** It may have been done all the same, although the status is no 5xx. */
  readonly isAmbiguous?: boolean;
  /** The credential was not taken, although the status is no 401. */
  readonly isCredentialRefused?: boolean;
}

/** How this provider speaks of failure; see {@link FailureRule}. */
export interface FailureVocabulary {
  /** Path to the message for people in a JSON error body, e.g. `['message']`. */
  readonly message?: readonly string[];
  /** Path to an object of further messages, each under the name of the field it is about: Jira's `['errors']`. */
  readonly fieldMessages?: readonly string[];
  readonly rules: readonly FailureRule[];
  /** Headers, beside Retry-After, that say when a limit is over. The longest wait of all present ones counts. */
  readonly resets: readonly ResetHeader[];
  /** Retry-After on a 2xx asks for a pause as well. Elsewhere it says when to look for a result. */
  readonly pausesOnSuccess?: boolean;
}
