import type {
  Connector,
  Credential,
  JsonObject,
  PolledEvent,
  RawDelivery,
  Secret,
  Verb,
  VerbInput,
} from '../../src/connector/index.js';
import type { Clock } from '../../src/core/clock.js';
import type { FakeAnswer, FakeProvider, FakeRequest } from '../support/fake-provider.js';

/** A connector, and the little that the suite can't know about it. */
export interface ConformanceSubject {
  readonly connector: Connector;
  /** Under connectors/. Its `fixtures` are read from there. */
  readonly folder: string;
  readonly webhook?: WebhookSubject;
  /** For connectors that set webhooks up. */
  readonly registration?: RegistrationSubject;
  /** For connectors that poll. */
  readonly polling?: PollingSubject;
  readonly provider: ProviderSubject;
}

export interface WebhookSubject {
  /** What the signature vouches for. A scheme of plain tokens vouches for nothing: `[]`. */
  readonly signs: readonly ('body' | 'time')[];
  /** Signs as the provider does. `at` is the moment of sending; the delivery is received in the same moment. */
  sign(unsigned: Unsigned, secret: Secret, at: Date): RawDelivery;
  /** Secrets of the form the provider gives out, when it has one. Default: any text. */
  secret?(seed: string): string;
  /**
   * The request in which the provider would send a recorded body, each file as an event of its own. Default: the body as it
   * is, as application/json.
   */
  payload?(file: string, body: Buffer): Unsigned;
}

export interface RegistrationSubject {
  /** About what the fake lets a webhook be set up. */
  readonly target: JsonObject;
  /** Events by the names of the manifest's triggers, and the least to ask the provider for that brings them. */
  readonly least: { readonly wanted: readonly string[]; readonly asked: readonly string[] };
}

export interface PollingSubject {
  /** By which there is something to poll in the fake. */
  readonly settings: JsonObject;
}

/** What there is to find in a fake. */
export interface PolledFake {
  /** Lets something of each kind happen, and more than a page of some. */
  happen(): void;
  /** All that has happened there, as webhooks would bring it. */
  told(): readonly Pick<PolledEvent, 'type' | 'body'>[];
}

/** A webhook as the fake has it, with the secret that no provider shows. */
export interface HookAtProvider {
  readonly id: string;
  readonly url: string | undefined;
  readonly secret: string | undefined;
  readonly events: readonly string[];
}

export interface Unsigned {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface ProviderSubject {
  /** By which the connector finds its way in the fake. Default: none. */
  readonly settings?: JsonObject;
  /** A fresh fake in which every input below succeeds. */
  start(clock: Clock): Promise<StartedFake>;
  /** One example a verb. */
  readonly inputs: { readonly [V in Verb]?: VerbInput<V> };
  /** Every form in which this provider throttles. */
  throttles(now: Date): readonly ThrottleForm[];
  /** An error in the provider's own words. */
  error(status: number): FakeAnswer;
  /** The request that changes something. Default: every one that is not GET. */
  isEffect?(request: FakeRequest): boolean;
}

export interface StartedFake {
  readonly provider: FakeProvider;
  /** One that it accepts. */
  readonly credential: Credential;
  /** Other people do the same things, until ours are no longer on the first page of anything. */
  crowd(): void;
  /** What is set up, oldest first. For connectors that set webhooks up. */
  hooks?(): readonly HookAtProvider[];
  /** For connectors that poll. */
  readonly polled?: PolledFake;
}

export interface ThrottleForm {
  readonly name: string;
  readonly answer: FakeAnswer;
  /** What the connector must make of it. */
  readonly retryAt: Date;
}
