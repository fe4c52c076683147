import { isDeepStrictEqual } from 'node:util';
import { v7 as uuidV7 } from 'uuid';
import { z } from 'zod';
import {
  type Connector,
  type Manifest,
  ProviderFailure,
  type RegisteredWebhook,
  type WantedWebhook,
  type WebhookRegistrar,
} from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import { TributaryError, invalidInput } from '../core/errors.js';
import { requireInput, requireValid } from '../core/schema.js';
import { storable } from '../core/storable.js';
import { type Change, changeConnection } from './change.js';
import { type Connection, WebhookEndpoint, WebhookRegistration } from './connection.entity.js';
import { removeReplaced, sealIssued } from './issued-secret.js';
import { acceptsActions } from './status.js';
import {
  type RegistrationDeps,
  failureOf,
  isSameEndpoint,
  openForProvider,
  requireEndpoint,
  secretsOf,
  toAccessor,
  toStored,
} from './webhook-setup.js';

const registerCommand = z.strictObject({
  connectionId: z.string(),
  target: z.record(z.string(), z.unknown()),
  signalTypes: z.array(z.string()).min(1, 'must name at least one, or be left out').nullish(),
});

/** What `registerWebhook` takes. Without `signalTypes`: all that the provider's manifest announces. */
export type RegisterCommand = z.input<typeof registerCommand>;
type Checked = z.output<typeof registerCommand>;

/** What came of it: one of the two is null. */
export interface Registered {
  readonly connection: Connection;
  readonly registration: WebhookRegistration | null;
  readonly failure: ProviderFailure | null;
}

export function checkRegister(command: RegisterCommand): Checked {
  return requireInput(registerCommand, command);
}

/** See ConnectionService.registerWebhook. */
export async function registerWebhook(
  deps: RegistrationDeps,
  caller: Caller,
  connection: Connection,
  { target, signalTypes }: Checked,
): Promise<Registered> {
  const connector = deps.catalog.require(connection.providerId);
  const registrar = requireRegistrar(connector);
  requireValid(registrar.targetSchema, target, 'target');
  const events = eventsOf(connector.manifest, signalTypes ?? undefined);
  requireWorking(connection);
  const known = await findRegistrations(deps, caller, connection.id);
  const previousId = known.find(isAbout(target))?.externalId;
  if (known.length > 0 && previousId === undefined) requireSharedSecret(connector);
  const endpoint = await requireEndpoint(deps, caller, connection.id);
  const setup = await openForProvider(deps, caller, connection, endpoint, 'register_webhook');

  const wanted: WantedWebhook = { ...setup, events, target, ...(previousId && { previousId }) };
  const accessor = toAccessor(caller, 'register_webhook');
  const opening = deps.opener.open(connection, connector, accessor, { told: secretsOf(setup) });
  const made = await toOutcome(opening.then(({ context }) => registrar.register(context, wanted)));
  if (made instanceof ProviderFailure) return tellFailure(deps, caller, connection.id, wanted, made);
  const unregister = (externalId: string): Promise<void> =>
    opening.then(({ context }) => registrar.unregister(context, { ...made, externalId }));
  let isStored = known.some(isSame(made));
  let registered: Registered;
  try {
    registered = await changeConnection(deps, caller, connection.id, async (change) => {
      const { connection: changed, transaction } = change;
      const stored = await transaction.find(WebhookRegistration, { connectionId: connection.id });
      isStored ||= stored.some(isSame(made));
      await requireSameEndpoint(change, endpoint);
      await sealIssued(deps.vault, change, made);
      return { connection: changed, registration: store(change, made, stored), failure: null };
    });
  } catch (error) {
    isStored ||= await mayBeStored(deps, caller, connection, made, error);
    if (!isStored) await takeBack(deps, connection, made, unregister(made.externalId));
    throw error;
  }
  await removeReplaced(deps, connection, made, unregister);
  return registered;
}

const isAbout =
  (target: RegisteredWebhook['target']) =>
  (other: WebhookRegistration): boolean =>
    isDeepStrictEqual(other.target, target);
const isSame =
  ({ externalId }: RegisteredWebhook) =>
  (other: WebhookRegistration): boolean =>
    other.externalId === externalId;

export function requireRegistrar({ manifest, webhook }: Connector): WebhookRegistrar {
  if (webhook?.registration) return webhook.registration;
  const message = `${manifest.name} lets nobody set up webhooks by its API. Enter URL and secret there by hand.`;
  throw new TributaryError('UNSUPPORTED', message);
}

/** A provider that makes the secrets makes one for each webhook, and a connection holds one. */
function requireSharedSecret({ manifest, webhook }: Connector): void {
  if (!webhook?.issuesSecret) return;
  const message = `${manifest.name} makes a secret for each webhook, and a connection has one. Unregister the other webhook first, or connect once more.`;
  throw new TributaryError('CONFLICT', message);
}

/** The provider is asked by the connection's credential, so it has to be known to work. */
function requireWorking({ status }: Connection): void {
  if (acceptsActions(status)) return;
  const message = `A connection that is ${status} can’t register webhooks. Verify it first.`;
  throw new TributaryError('CONNECTION_NOT_READY', message, { status });
}

/** The provider's events behind the wanted signals. What has no name of its own (`*`) nobody can ask for. */
function eventsOf({ name, triggers }: Manifest, signalTypes: readonly string[] | undefined): string[] {
  const offered = triggers.filter(
    ({ via, providerEvents }) => via.includes('WEBHOOK') && !providerEvents.includes('*'),
  );
  const unknown = signalTypes?.find((type) => offered.every(({ signalType }) => signalType !== type));
  if (unknown !== undefined) {
    const types = offered.map(({ signalType }) => signalType).join(', ');
    throw invalidInput('signalTypes', `${name} sends only ${types}`);
  }
  const wanted = offered.filter(({ signalType }) => signalTypes?.includes(signalType) ?? true);
  return [...new Set(wanted.flatMap(({ providerEvents }) => providerEvents))];
}

export function findRegistrations(
  { db }: Pick<RegistrationDeps, 'db'>,
  caller: Caller,
  connectionId: string,
): Promise<WebhookRegistration[]> {
  return db.for(caller).find(WebhookRegistration, { connectionId }, { orderBy: { id: 'asc' } });
}

/** The provider's failure as data; everything else that is thrown is thrown on. */
export async function toOutcome<T>(work: Promise<T>): Promise<T | ProviderFailure> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ProviderFailure) return error;
    throw error;
  }
}

/** What can't be told from its answer may have been made: the next call finds it by its URL. */
function tellFailure(
  deps: RegistrationDeps,
  caller: Caller,
  id: string,
  { target, events }: WantedWebhook,
  failure: ProviderFailure,
): Promise<Registered> {
  const { isAmbiguous, code: reason } = failure.details;
  return changeConnection(deps, caller, id, ({ connection, attest }) => {
    attest('register_webhook', isAmbiguous ? 'UNCONFIRMED' : 'FAILURE', { target, events }, { reason });
    return { connection, registration: null, failure };
  });
}

/** What we told the provider while it was being replaced is not what counts from now on. */
async function requireSameEndpoint(
  { transaction, connection }: Change,
  told: WebhookEndpoint,
): Promise<void> {
  const now = await transaction.findOneOrFail(WebhookEndpoint, { connectionId: connection.id });
  if (isSameEndpoint(now, told)) return;
  const message = 'The webhook’s URL or secret was rotated at the same time. Register it once more.';
  throw new TributaryError('CONFLICT', message);
}

/** Another one for the same target is not there any more: else the provider would have answered that one. */
function store(
  { transaction, connection, now, attest }: Change,
  made: RegisteredWebhook,
  stored: readonly WebhookRegistration[],
): WebhookRegistration {
  const { externalId, target, events } = made;
  const known = stored.find(isSame(made)) ?? stored.find(isAbout(target));
  const fields = { ...toStored(made, now), target: storable(target), updatedAt: now };
  const { id: connectionId, tenantId } = connection;
  const registration = known
    ? transaction.assign(known, fields)
    : transaction.create(
        WebhookRegistration,
        { id: uuidV7(), connectionId, tenantId, createdAt: now, ...fields },
        { persist: true },
      );
  const result = {
    registration_id: registration.id,
    external_id: externalId,
    ...(made.issuedSecret !== undefined && { secret_issued: true }),
  };
  attest('register_webhook', 'SUCCESS', { target, events }, result);
  return registration;
}

/**
 * Whether a commit has taken effect, though its answer was lost; what we refuse ourselves never has. Looked up under the
 * connection's lock, so that one that is still under way is over. In doubt it has: what is in use stays.
 */
async function mayBeStored(
  { log, ...deps }: RegistrationDeps,
  caller: Caller,
  { id: connectionId, providerId }: Connection,
  made: RegisteredWebhook,
  refusal: unknown,
): Promise<boolean> {
  if (refusal instanceof TributaryError) return false;
  try {
    return await changeConnection(deps, caller, connectionId, async ({ transaction }) =>
      (await transaction.find(WebhookRegistration, { connectionId })).some(isSame(made)),
    );
  } catch (error) {
    if (error instanceof TributaryError && error.code === 'NOT_FOUND') return false;
    const { externalId, target } = made;
    const about = { err: error, connectionId, providerId, externalId, target };
    log.error(about, 'webhook: may be stored nowhere, left there');
    return true;
  }
}

/** Nothing may stay at the provider that we don't know of. If it does after all, the log says where. */
export async function takeBack(
  { log }: RegistrationDeps,
  { id: connectionId, providerId }: Connection,
  { externalId, target }: RegisteredWebhook,
  takingBack: Promise<void>,
): Promise<void> {
  const failure = await failureOf(takingBack);
  const about = { connectionId, providerId, externalId, target };
  if (failure) log.error({ ...about, reason: failure.details.code }, 'webhook: stored nowhere, left there');
  else log.warn(about, 'webhook: could not be stored, so it was taken back');
}
