import { v7 as uuidV7 } from 'uuid';
import { ProviderFailure, type RegisteredWebhook } from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import { workDue } from '../core/due.js';
import { TributaryError } from '../core/errors.js';
import { storable } from '../core/storable.js';
import { type Change, changeConnection } from './change.js';
import { Connection, WebhookEndpoint, WebhookRegistration } from './connection.entity.js';
import { takeBack, toOutcome } from './webhook-registration.js';
import {
  type RegistrationDeps,
  isSameEndpoint,
  openForProvider,
  requireEndpoint,
  secretsOf,
  toAccessor,
  toStored,
} from './webhook-setup.js';

/** One row of `renewals_claim`. */
interface DueRegistration {
  readonly tenant_id: string;
  readonly registration_id: string;
}

/** When somebody else tries, if we die over it. Renewing twice does no harm: a claim only moves the row on. */
const NEXT_MS = 60 * 60_000;
/** Longer than renewing takes. */
const LEASE_MS = 60_000;
const AT_ONCE = 10;
/** After a failure: this long, and twice as long each time. */
const BACKOFF_MS = 5 * 60_000;
const MOST_BACKOFF_MS = 6 * 60 * 60_000;

/** See ConnectionService.renewWebhooksDue. None keeps the others from being renewed. */
export function renewWebhooksDue(deps: RegistrationDeps, signal: AbortSignal): Promise<number> {
  const { db, clock, log } = deps;
  return workDue<DueRegistration>({
    async claim(limit) {
      const now = clock.now();
      const next = new Date(now.getTime() + NEXT_MS);
      const text = 'select * from renewals_claim($1, $2, $3)';
      return (await db.doors.query<DueRegistration>(text, [now, next, limit])).rows;
    },
    work: (row) => renew(deps, row),
    failed: ({ registration_id: registrationId }, error) =>
      log.error({ err: error, registrationId }, 'webhook: renewing broke off'),
    concurrency: AT_ONCE,
    leaseMs: LEASE_MS,
    signal,
  });
}

async function renew(
  deps: RegistrationDeps,
  { tenant_id: tenantId, registration_id: id }: DueRegistration,
): Promise<void> {
  const caller = { tenantId, subject: 'system', scopes: new Set<string>(), correlationId: uuidV7() };
  const manager = deps.db.for(caller);
  const registration = await manager.findOne(WebhookRegistration, { id });
  const connection = registration && (await manager.findOne(Connection, { id: registration.connectionId }));
  const connector = connection && deps.catalog.find(connection.providerId);
  const registrar = connector?.webhook?.registration;
  if (!registration || !connection || !connector || !registrar?.renew) return;
  const endpoint = await requireEndpoint(deps, caller, connection.id);
  const setup = await openForProvider(deps, caller, connection, endpoint, 'renew_webhook');
  const options = { lane: 'backfill', told: secretsOf(setup) } as const;
  const opening = deps.opener.open(connection, connector, toAccessor(caller, 'renew_webhook'), options);
  const made = await toOutcome(
    opening.then(async ({ context }) => registrar.renew?.(context, registration, setup)),
  );
  if (made === undefined) return;
  const isKept = await keep(deps, caller, registration, endpoint, made);
  if (isKept || made instanceof ProviderFailure) return;
  const takingBack = opening.then(({ context }) => registrar.unregister(context, made));
  await takeBack(deps, connection, made, takingBack);
}

/** Writes down what came of it. False: nobody wants the webhook any more. */
async function keep(
  deps: RegistrationDeps,
  caller: Caller,
  { id, connectionId }: WebhookRegistration,
  told: WebhookEndpoint,
  outcome: RegisteredWebhook | ProviderFailure,
): Promise<boolean> {
  try {
    return await changeConnection(deps, caller, connectionId, async (change) => {
      const registration = await change.transaction.findOne(WebhookRegistration, { id });
      if (!registration) return false;
      if (outcome instanceof ProviderFailure) postpone(change, registration, outcome);
      else await adopt(change, registration, told, outcome);
      return true;
    });
  } catch (error) {
    if (error instanceof TributaryError && error.code === 'NOT_FOUND') return false;
    throw error;
  }
}

async function adopt(
  { transaction, now, attest }: Change,
  registration: WebhookRegistration,
  told: WebhookEndpoint,
  made: RegisteredWebhook,
): Promise<void> {
  const { id, connectionId, externalId: before } = registration;
  const stored = toStored(made, now);
  transaction.assign(registration, { ...stored, updatedAt: now });
  const endpoint = await transaction.findOneOrFail(WebhookEndpoint, { connectionId });
  // Rotated meanwhile: what was told is not what counts, so it is told again.
  if (!isSameEndpoint(endpoint, told)) registration.renewalDueAt = now;
  attest(
    'renew_webhook',
    'SUCCESS',
    { registration_id: id, external_id: before },
    { external_id: stored.externalId, expires_at: stored.expiresAt?.toISOString() ?? null },
  );
}

function postpone(
  { now, attest }: Change,
  registration: WebhookRegistration,
  { details }: ProviderFailure,
): void {
  const { id, externalId, renewalFailures } = registration;
  const { category, code, message, providerStatus, isAmbiguous, retryAt } = details;
  const wait = Math.min(BACKOFF_MS * 2 ** renewalFailures, MOST_BACKOFF_MS);
  registration.renewalFailures += 1;
  // A provider may ask for more time, within what we wait at most: a wrong date must not end the webhook.
  const told = Math.min(retryAt ? retryAt.getTime() - now.getTime() : 0, MOST_BACKOFF_MS);
  registration.renewalDueAt = new Date(now.getTime() + Math.max(wait, told));
  registration.renewalFailure = storable({
    category,
    code,
    message,
    ...(providerStatus !== undefined && { providerStatus }),
    at: now.toISOString(),
  });
  const outcome = isAmbiguous ? 'UNCONFIRMED' : 'FAILURE';
  attest('renew_webhook', outcome, { registration_id: id, external_id: externalId }, { reason: code });
}
