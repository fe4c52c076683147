import type { Json, JsonObject } from './json.js';
import type { Method } from './manifest.js';

/** A request to the provider, relative to its base URL. */
export interface ProviderRequest {
  readonly method: Method;
  /** A template such as `/repos/{owner}/{repo}/issues`; logs and metrics carry the template, never the filled path. */
  readonly path: string;
  /** Fill the template; each value is percent-encoded, so that it can't leave its segment. */
  readonly params?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: Json | JsonObject;
  /**
   * Sending it twice has one effect, because the provider knows it by a key: it may be sent again when the answer is
   * lost or says to come back. Left out: GET may be repeated, everything else is sent once.
   */
  readonly isRepeatable?: boolean;
}

/** A successful answer (2xx). Everything else is thrown as a ProviderFailure. */
export interface ProviderResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON; text when the provider sent another type; undefined when there was no body. */
  readonly body: unknown;
}

/** All that a connector may use of the world: one signed way to its provider. */
export interface ProviderContext {
  readonly settings: JsonObject;
  /** Signs and sends. Throws ProviderFailure for every answer that is not 2xx, and when there is no answer. */
  request(request: ProviderRequest): Promise<ProviderResponse>;
}
