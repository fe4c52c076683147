import type { AuthMethod, Credential, ProviderFailure, ProviderIdentity } from '../connector/index.js';
import { ProviderFailure as Failure } from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import { storable } from '../core/storable.js';
import type { ProviderCatalog } from './catalog.js';
import { type Change, changeConnection, move, requireTransition } from './change.js';
import { type Connection, CredentialRecord } from './connection.entity.js';
import { reauthorizationRequired } from './material.js';
import type { Opener } from './open.js';
import { type StatusReason, allows } from './status.js';

export interface VerifyDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly catalog: ProviderCatalog;
  readonly opener: Opener;
}

/** What the provider said about a credential, and about which version of it. */
export interface Finding {
  readonly credentialVersion: number;
  readonly identity?: ProviderIdentity | undefined;
  readonly failure?: ProviderFailure | undefined;
}

/** Asks the provider who we are: by the stored credential, or by one that is only tried. Outside any transaction. */
export async function identify(
  { catalog, opener }: VerifyDeps,
  { subject: actor, correlationId }: Caller,
  connection: Connection,
  purpose: string,
  candidate?: Credential,
): Promise<Finding> {
  const connector = catalog.require(connection.providerId);
  const accessor = { actor, purpose, correlationId };
  const options = { candidate, isFresh: true };
  const { context, credentialVersion } = await opener.open(connection, connector, accessor, options);
  try {
    const identity = await connector.auth.identify(context);
    return { credentialVersion: credentialVersion(), identity };
  } catch (error) {
    if (error instanceof Failure) return { credentialVersion: credentialVersion(), failure: error };
    throw error;
  }
}

/** See ConnectionService.verify. */
export async function verifyConnection(
  deps: VerifyDeps,
  caller: Caller,
  connection: Connection,
): Promise<Connection> {
  requireTransition(connection, 'verified', 'verified');
  const finding = await identify(deps, caller, connection, 'verify');
  return conclude(deps, caller, connection.id, finding, 'verify', (change) => settleVerify(change, finding));
}

/** See ConnectionService.resume. */
export async function resumeConnection(
  deps: VerifyDeps,
  caller: Caller,
  connection: Connection,
): Promise<Connection> {
  requireTransition(connection, 'resumed', 'resumed');
  const finding = await identify(deps, caller, connection, 'resume');
  return conclude(deps, caller, connection.id, finding, 'resume', (change) => settleResume(change, finding));
}

/** What the provider said counts only for the credential it was asked with; and only if nobody decided otherwise since. */
function conclude(
  deps: VerifyDeps,
  caller: Caller,
  id: string,
  { credentialVersion, failure }: Finding,
  verb: string,
  settle: (change: Change) => boolean,
): Promise<Connection> {
  return changeConnection(deps, caller, id, async (change) => {
    const { connection, transaction } = change;
    const credential = await transaction.findOne(CredentialRecord, { connectionId: id });
    if (credential?.version !== credentialVersion || !settle(change)) return connection;
    change.attest(
      verb,
      failure ? 'FAILURE' : 'SUCCESS',
      {},
      {
        status: connection.status,
        account: connection.account ?? null,
        reason: failure?.details.code ?? null,
      },
    );
    return connection;
  });
}

function settleVerify({ connection, now }: Change, { identity, failure }: Finding): boolean {
  if (!allows('verified', connection.status)) return false;
  if (identity) activate(connection, identity, 'verified', now);
  else if (failure) fail(connection, failure, now);
  return true;
}

function settleResume({ connection, now }: Change, { identity, failure }: Finding): boolean {
  if (!allows('resumed', connection.status)) return false;
  if (identity) activate(connection, identity, 'resumed', now);
  else if (failure) connection.statusReason = toReason(failure, connection, now);
  return true;
}

/** Makes it ACTIVE with what the provider told. */
export function activate(
  connection: Connection,
  { account, grantedScopes, appAccount, settings }: ProviderIdentity,
  transition: 'verified' | 'resumed' | 'rotated' | 'authorized',
  now: Date,
): void {
  move(connection, transition, now, null);
  connection.account = storable(account);
  connection.grantedScopes = grantedScopes ? [...grantedScopes] : null;
  connection.verifiedAt = now;
  if (settings) connection.settings = storable({ ...connection.settings, ...settings });
  // Another credential than the one that a person's consent to an app gave.
  if (transition === 'rotated') connection.appClientId = null;
  connection.appAccount = appAccount === undefined ? null : storable(appAccount);
}

/** Only the provider's word that the credential is no good takes a working connection down. */
function fail(connection: Connection, failure: ProviderFailure, now: Date): void {
  // It says so already, and why.
  if (connection.status === 'REAUTHORIZATION_REQUIRED' && failure.details.code === reauthorizationRequired)
    return;
  const reason = toReason(failure, connection, now);
  const transition = failure.details.category === 'AUTH' ? 'refused' : 'unreachable';
  if (allows(transition, connection.status)) move(connection, transition, now, reason);
  else connection.statusReason = reason;
}

function toReason({ details }: ProviderFailure, { authMethod }: Connection, now: Date): StatusReason {
  const remedy =
    details.category === 'AUTH' ? remedyOfRefusal(details.code, authMethod) : remedyOf(details.retryAt);
  return storable({ code: details.code, message: `${details.message} ${remedy}`, since: now.toISOString() });
}

function remedyOfRefusal(code: string, authMethod: AuthMethod): string {
  if (code.startsWith('secret_'))
    return 'Mend what the credential refers to, or rotate this connection to another.';
  if (authMethod === 'OAUTH2') return 'Authorize this connection again.';
  return 'Make a new credential at the provider, with the scopes listed there, and rotate this connection to it.';
}

function remedyOf(retryAt: Date | undefined): string {
  if (retryAt) return `Try again after ${retryAt.toISOString()}.`;
  return 'Try again; if it stays so, look at the provider’s status page.';
}
