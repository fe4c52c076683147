import type { RegisteredWebhook } from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import { TributaryError } from '../core/errors.js';
import { type Change, changeConnection } from './change.js';
import { type Connection, WebhookEndpoint, WebhookRegistration } from './connection.entity.js';
import { ISSUED_OVERLAP_SECONDS, removeReplaced, sealIssued } from './issued-secret.js';
import {
  type Attempt,
  type RegistrationFailure,
  attemptEach,
  failuresOf,
  openRegistrar,
  outcomeOf,
  toResult,
} from './registered-webhooks.js';
import { findRegistrations, takeBack } from './webhook-registration.js';
import {
  type RegistrationDeps,
  isSameEndpoint,
  isSentHere,
  openForProvider,
  requireEndpoint,
  secretsOf,
  toStored,
} from './webhook-setup.js';

/**
 * Tells the provider the endpoint's URL and secret as they are now, after a rotation. Whatever is refused goes on with
 * the previous ones while those count. Once more when somebody rotates meanwhile: what counts last is told last. A
 * provider that makes the secret answers another webhook; the secret before that counts for the overlap.
 */
export async function updateRegistrations(
  deps: RegistrationDeps,
  caller: Caller,
  connection: Connection,
  overlapSeconds = ISSUED_OVERLAP_SECONDS,
): Promise<readonly RegistrationFailure[]> {
  const all = await findRegistrations(deps, caller, connection.id);
  const registrations = all.filter(isSentHere);
  if (registrations.length === 0) return [];
  const told = await requireEndpoint(deps, caller, connection.id);
  const setup = await openForProvider(deps, caller, connection, told, 'rotate');
  const attempts = await attemptEach(
    deps,
    caller,
    connection,
    'rotate',
    registrations,
    (registrar, context, registered) => registrar.update(context, registered, setup),
    { told: secretsOf(setup) },
  );
  const keeping = changeConnection(deps, caller, connection.id, async (change) => {
    const { transaction, now, attest } = change;
    const endpoint = await transaction.findOneOrFail(WebhookEndpoint, { connectionId: connection.id });
    if (!isSameEndpoint(endpoint, told)) return { isLast: false, kept: [] };
    const done = attempts.filter(({ failure }) => !failure).map(({ registration: { id } }) => id);
    await transaction.nativeUpdate(WebhookRegistration, { id: { $in: done } }, { updatedAt: now });
    const kept = await keepMade(deps, change, attempts, overlapSeconds);
    attest('update_webhooks', outcomeOf(attempts), {}, toResult(attempts));
    return { isLast: true, kept };
  });
  const { isLast, kept } = await keeping.catch(async (error: unknown) => {
    // Refused here: nothing of it is stored. Of any other error that is not known, and the next registration finds it.
    if (error instanceof TributaryError) await settleMade(deps, caller, connection, attempts, []);
    throw error;
  });
  await settleMade(deps, caller, connection, attempts, kept);
  return isLast ? failuresOf(attempts) : updateRegistrations(deps, caller, connection, overlapSeconds);
}

/** Stores what was made instead of a registered webhook, and answers it. One that was unregistered meanwhile is left out. */
async function keepMade(
  { vault }: RegistrationDeps,
  change: Change,
  attempts: readonly Attempt[],
  overlapSeconds: number,
): Promise<readonly RegisteredWebhook[]> {
  const { transaction, now } = change;
  const kept: RegisteredWebhook[] = [];
  for (const { registration, made } of attempts) {
    const stored = made && (await transaction.findOne(WebhookRegistration, { id: registration.id }));
    if (!made || !stored) continue;
    transaction.assign(stored, { ...toStored(made, now), updatedAt: now });
    await sealIssued(vault, change, made, overlapSeconds);
    kept.push(made);
  }
  return kept;
}

/** Takes away at the provider what is not needed any more: what was replaced, or what could not be stored. */
async function settleMade(
  deps: RegistrationDeps,
  caller: Caller,
  connection: Connection,
  attempts: readonly Attempt[],
  kept: readonly RegisteredWebhook[],
): Promise<void> {
  const all = attempts.flatMap(({ made }) => (made ? [made] : []));
  if (all.length === 0) return;
  const { registrar, context } = await openRegistrar(deps, caller, connection, 'rotate', {});
  for (const made of all) {
    const unregister = (externalId: string): Promise<void> =>
      registrar.unregister(context, { ...made, externalId });
    if (kept.includes(made)) await removeReplaced(deps, connection, made, unregister);
    else await takeBack(deps, connection, made, unregister(made.externalId));
  }
}
