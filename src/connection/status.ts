export const connectionStatuses = [
  'AUTHORIZING',
  'PENDING_VERIFICATION',
  'ACTIVE',
  'SUSPENDED',
  'REAUTHORIZATION_REQUIRED',
  'ERROR',
  'DELETED',
] as const;
/** What someone decided, or must do, about a connection. What we observe of it lately is its health. */
export type ConnectionStatus = (typeof connectionStatuses)[number];

/**
 * How far a webhook's secret has come that the provider hands out itself: awaited, there, and told to the admin, who is
 * told once.
 */
export type HandshakeState = 'AWAITED' | 'RECEIVED' | 'SHOWN';

/** Why a connection is in the status it is in, and what to do next. */
export interface StatusReason {
  /** Stable, lower_snake. */
  readonly code: string;
  /** For the tenant's admin, ending in what to do. */
  readonly message: string;
  /** RFC 3339. */
  readonly since: string;
}

const usable = ['PENDING_VERIFICATION', 'ACTIVE', 'REAUTHORIZATION_REQUIRED', 'ERROR'] as const;

/**
 * Every way a connection's status can change: what happens, in which statuses it may happen, and what comes of it.
 * docs/lifecycle.md is drawn from this table.
 */
export const transitions = {
  verified: { from: usable, to: 'ACTIVE', what: 'verify: the provider says who the credential belongs to' },
  refused: { from: usable, to: 'ERROR', what: 'verify: the provider refuses the credential' },
  unreachable: {
    from: ['PENDING_VERIFICATION', 'REAUTHORIZATION_REQUIRED', 'ERROR'],
    to: 'ERROR',
    what: 'verify: the provider can’t be asked',
  },
  rotated: { from: usable, to: 'ACTIVE', what: 'rotate: a new credential works' },
  authorized: {
    from: [...usable, 'AUTHORIZING'],
    to: 'ACTIVE',
    what: 'authorize: a person consented, and the new tokens work',
  },
  expired: {
    from: ['PENDING_VERIFICATION', 'ACTIVE', 'ERROR'],
    to: 'REAUTHORIZATION_REQUIRED',
    what: 'refresh: the provider takes the refresh token no more, or its answer was lost',
  },
  suspended: { from: usable, to: 'SUSPENDED', what: 'suspend' },
  resumed: { from: ['SUSPENDED'], to: 'ACTIVE', what: 'resume: the credential still works' },
  disconnected: { from: [...usable, 'AUTHORIZING', 'SUSPENDED'], to: 'DELETED', what: 'disconnect' },
} as const satisfies Record<
  string,
  { readonly from: readonly ConnectionStatus[]; readonly to: ConnectionStatus; readonly what: string }
>;
export type Transition = keyof typeof transitions;

/** Whether this may happen to a connection in that status. */
export function allows(transition: Transition, status: ConnectionStatus): boolean {
  const { from }: { readonly from: readonly ConnectionStatus[] } = transitions[transition];
  return from.includes(status);
}

/**
 * A webhook is authenticated by its own secret, not by the credential. So deliveries are taken while a connection is
 * still unverified or its credential broken: GitHub sends its ping before anyone can verify, and never sends again
 * what was refused.
 */
export function acceptsWebhooks(status: ConnectionStatus): boolean {
  return status !== 'SUSPENDED' && status !== 'AUTHORIZING' && status !== 'DELETED';
}

/** Actions need a credential that is known to work. */
export function acceptsActions(status: ConnectionStatus): boolean {
  return status === 'ACTIVE';
}
