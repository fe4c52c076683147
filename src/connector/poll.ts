import type { ProviderContext } from './context.js';
import type { Json, JsonObject } from './json.js';
import type { EventIdentity } from './webhook.js';

/** One thing that can be asked for by itself, with a place of its own: the issues of one repository, a log of events. */
export interface PollStream {
  /** 1 to 255 characters, unique in the connection. Its cursor is kept under this name, so it never changes. */
  readonly name: string;
  /** For the tenant's admin. */
  readonly title: string;
}

/**
 * An event as a poll found it. Its id is the same however often it is found, and has at most {@link MAX_POLLED_ID}
 * characters; the core keeps it apart from those of webhooks, and says when it was received.
 */
export interface PolledEvent extends EventIdentity {
  /** As a webhook brings it, as far as the provider's answer tells: {@link Connector.normalize} reads both alike. */
  readonly body: JsonObject;
  /**
   * What is wrong with it, in a sentence, where the provider's answer lacks what it takes to make an event of it. It becomes
   * a dead letter with this reason, once however often it is found, under a name that the core makes of its body; its id
   * is not looked at.
   */
  readonly problem?: string;
}

export const MAX_POLLED_ID = 250;

export interface PollRequest {
  /** By its name. */
  readonly stream: string;
  /** What the page before answered as `nextCursor`, at whatever time; null at the beginning. */
  readonly cursor: Json;
  /** Where the beginning is: what happened from then on is wanted. */
  readonly since: Date;
  /** For a share of the way, or a window that must have an end. No place in a stream may depend on our clock. */
  readonly now: Date;
}

export interface PollPage {
  readonly events: readonly PolledEvent[];
  /** Where the next page begins, in this poll or in the next one. The core keeps it and does not look into it. */
  readonly nextCursor: Json;
  /** Nothing more is to be had at the moment. */
  readonly isComplete: boolean;
  /** How much of the way from `since` to now is done: 0 to 1. Left out: not known. */
  readonly progress?: number;
}

/** The asking side of a connector, for providers without webhooks and for what webhooks leave out. */
export interface Poll {
  /**
   * How far before the newest that was seen each poll begins anew: what the provider shows late, or dates by another
   * clock, is found all the same. What is found twice vanishes by its identity. 0 where a cursor can't miss anything.
   */
  readonly overlapSeconds: number;
  /** What there is to ask for by these settings. Pure; none where they name nothing. */
  streams(settings: JsonObject): readonly PollStream[];
  /**
   * One page, the oldest first where the provider can. A page that throws is asked for again from the same cursor: so
   * nothing may be remembered elsewhere. Throws ProviderFailure.
   */
  page(context: ProviderContext, request: PollRequest): Promise<PollPage>;
}
