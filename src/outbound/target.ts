import type { Connector, Credential, JsonObject } from '../connector/index.js';

/** Who waits for a call, the most urgent first: when calls are scarce, the later ones leave the earlier ones room. */
export const lanes = ['interactive', 'webhook', 'poll', 'backfill'] as const;
export type Lane = (typeof lanes)[number];

/** How much of a limit each lane may fill, so that a backfill leaves something for an action. */
const SHARES: Readonly<Record<Lane, number>> = { interactive: 1, webhook: 0.9, poll: 0.8, backfill: 0.6 };

/** What a lane may use of so many: at least one, or a small limit would shut it out for good. */
export function shareOf(lane: Lane, amount: number): number {
  return Math.max(1, Math.floor(amount * SHARES[lane]));
}

/** A connection as the guards know it. */
export interface ConnectionRef {
  readonly tenantId: string;
  readonly connectionId: string;
  readonly connector: Connector;
}

export interface ProviderTarget extends ConnectionRef {
  readonly credential: Credential;
  /** Secrets that the requests are there to tell, such as a webhook's: a provider may repeat them as well. */
  readonly told?: Credential;
  readonly settings: JsonObject;
  readonly correlationId: string;
  /** What the calls are for, lower_snake: `verify`, `poll`, `action.create_issue` … */
  readonly operation: string;
  /** Left out: `interactive`. */
  readonly lane?: Lane;
  /** Gives something back, such as a consent: no circuit, limit or budget may keep that from happening. */
  readonly mustGo?: boolean;
}

/** Names the connection in what all processes share. An id has no slash, so no two connections have one name. */
export function nameOf({ tenantId, connectionId }: ConnectionRef): string {
  return `${tenantId}/${connectionId}`;
}
