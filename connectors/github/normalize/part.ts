import type {
  CorrelationHint,
  EvidenceLink,
  JsonObject,
  SignalResource,
} from '../../../src/connector/index.js';

/** What one part of a body says about its event. Undefined fields are dropped when the parts are put together. */
export interface Description {
  readonly resource?: { readonly [K in keyof SignalResource]: string | undefined };
  readonly payload?: JsonObject;
  readonly keys?: Readonly<Record<string, string | undefined>>;
  readonly evidence?: readonly EvidenceLink[];
  readonly hints?: readonly CorrelationHint[];
}

/** A thing that GitHub puts into event bodies: `pull_request`, `sender` … */
export interface Part {
  /** What `describe` reads and GitHub documents as always there, as dotted paths. */
  readonly required: readonly string[];
  describe(body: unknown): Description;
}
