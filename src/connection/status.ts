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

/** Why a connection is in the status it is in, and what to do next. */
export interface StatusReason {
  /** Stable, lower_snake. */
  readonly code: string;
  /** For the tenant's admin, ending in what to do. */
  readonly message: string;
  /** RFC 3339. */
  readonly since: string;
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

/** Asking the provider who we are makes sense once there is a credential, and until the connection is put to rest. */
export function acceptsVerify(status: ConnectionStatus): boolean {
  return status !== 'AUTHORIZING' && status !== 'SUSPENDED' && status !== 'DELETED';
}
