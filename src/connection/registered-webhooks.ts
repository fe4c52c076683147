import { setTimeout as delay } from 'node:timers/promises';
import {
  ProviderFailure,
  type ProviderContext,
  type RegisteredWebhook,
  type WebhookRegistrar,
} from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import { notFound } from '../core/errors.js';
import type { ReceiptOutcome } from '../receipt/log.js';
import { type Change, changeConnection } from './change.js';
import { type Connection, WebhookRegistration } from './connection.entity.js';
import type { OpenOptions } from './open.js';
import { findRegistrations, requireRegistrar } from './webhook-registration.js';
import { type RegistrationDeps, failureOf, toAccessor } from './webhook-setup.js';

/** A webhook at the provider that needs a person's hand, and why. */
export interface RegistrationFailure {
  readonly registration: WebhookRegistration;
  readonly failure: ProviderFailure;
}

export interface Unregistered {
  readonly connection: Connection;
  /** What is still there, at the provider and here. */
  readonly failures: readonly RegistrationFailure[];
}

/** What was tried of one webhook; without a failure it is done. */
export interface Attempt {
  readonly registration: WebhookRegistration;
  readonly failure: ProviderFailure | undefined;
  /** What there is instead of it, where the provider had to make another. */
  readonly made?: RegisteredWebhook | undefined;
}

/** One piece of work on a webhook at the provider. */
export type Work = (
  registrar: WebhookRegistrar,
  context: ProviderContext,
  registered: RegisteredWebhook,
) => Promise<RegisteredWebhook | void>;

/** See ConnectionService.unregisterWebhook. */
export async function unregisterWebhook(
  deps: RegistrationDeps,
  caller: Caller,
  connection: Connection,
  registrationId: string | undefined,
): Promise<Unregistered> {
  const all = await findRegistrations(deps, caller, connection.id);
  const chosen = all.filter(({ id }) => registrationId === undefined || id === registrationId);
  if (registrationId !== undefined && chosen.length === 0) throw notFound('webhook registration');
  if (chosen.length === 0) return { connection, failures: [] };
  const attempts = await attemptEach(deps, caller, connection, 'unregister_webhook', chosen, unregister);
  return changeConnection(deps, caller, connection.id, async (change) => {
    const done = attempts.filter(({ failure }) => !failure);
    await forget(change, done);
    const request = { registration_id: registrationId ?? null };
    change.attest('unregister_webhook', outcomeOf(attempts), request, toResult(attempts));
    return { connection: change.connection, failures: failuresOf(attempts) };
  });
}

/** How long a provider may keep a connection from being disconnected. */
const LEAVE_MS = 3_000;

/** Takes every webhook of a connection away at the provider, as far as it lets us in the time. */
export async function leaveProvider(
  deps: RegistrationDeps,
  caller: Caller,
  connection: Connection,
): Promise<readonly Attempt[]> {
  const registrations = await findRegistrations(deps, caller, connection.id);
  return attemptEach(deps, caller, connection, 'disconnect', registrations, (...registered) =>
    inTime(unregister(...registered)),
  );
}

/**
 * Forgets all registrations of a connection that goes, and answers what the receipt shall say of them; null where there
 * were none. One that was made since `attempts` began is left at the provider, and told as such.
 */
export async function forgetRegistrations(
  change: Change,
  attempts: readonly Attempt[],
): Promise<Result | null> {
  const { transaction, connection } = change;
  const stored = await transaction.find(WebhookRegistration, { connectionId: connection.id });
  const tried = new Set(attempts.map(({ registration }) => registration.id));
  const late = stored
    .filter(({ id }) => !tried.has(id))
    .map((registration) => ({ registration, failure: registeredMeanwhile() }));
  const all = [...attempts, ...late];
  await forget(change, all);
  return all.length > 0 ? toResult(all) : null;
}

function unregister(
  registrar: WebhookRegistrar,
  context: ProviderContext,
  registered: RegisteredWebhook,
): Promise<void> {
  return registrar.unregister(context, registered);
}

/** Tries it on all of them at once; none keeps the others from being tried. */
export async function attemptEach(
  deps: RegistrationDeps,
  caller: Caller,
  connection: Connection,
  purpose: string,
  registrations: readonly WebhookRegistration[],
  work: Work,
  options: OpenOptions = {},
): Promise<readonly Attempt[]> {
  if (registrations.length === 0) return [];
  const opening = openRegistrar(deps, caller, connection, purpose, options);
  const attempt = async (registration: WebhookRegistration): Promise<Attempt> => {
    const working = opening.then(({ registrar, context }) => work(registrar, context, registration));
    const failure = await failureOf(working);
    const made = failure ? undefined : ((await working) ?? undefined);
    return { registration, failure, made };
  };
  return Promise.all(registrations.map(attempt));
}

export async function openRegistrar(
  { catalog, opener }: RegistrationDeps,
  caller: Caller,
  connection: Connection,
  purpose: string,
  options: OpenOptions,
) {
  const connector = catalog.require(connection.providerId);
  const registrar = requireRegistrar(connector);
  const { context } = await opener.open(connection, connector, toAccessor(caller, purpose), options);
  return { registrar, context };
}

async function inTime(work: Promise<void>): Promise<void> {
  const timer = new AbortController();
  const late = async (): Promise<never> => {
    await delay(LEAVE_MS, undefined, { signal: timer.signal });
    throw new ProviderFailure({
      category: 'NETWORK',
      code: 'not_waited_for',
      message: 'The provider did not answer in time. Remove the webhook there by hand.',
      isAmbiguous: true,
    });
  };
  try {
    await Promise.race([work, late()]);
  } finally {
    timer.abort();
  }
}

function registeredMeanwhile(): ProviderFailure {
  return new ProviderFailure({
    category: 'UNKNOWN',
    code: 'registered_meanwhile',
    message: 'The webhook was registered while its connection was disconnected. Remove it there by hand.',
  });
}

async function forget({ transaction }: Change, attempts: readonly Attempt[]): Promise<void> {
  const ids = attempts.map(({ registration }) => registration.id);
  await transaction.nativeDelete(WebhookRegistration, { id: { $in: ids } });
}

export function failuresOf(attempts: readonly Attempt[]): RegistrationFailure[] {
  return attempts.flatMap(({ registration, failure }) => (failure ? [{ registration, failure }] : []));
}

export function outcomeOf(attempts: readonly Attempt[]): ReceiptOutcome {
  return failuresOf(attempts).length === 0 ? 'SUCCESS' : 'FAILURE';
}

/** For a receipt: the provider's own ids, since the rows may be gone. */
interface Result extends Record<string, unknown> {
  readonly done: readonly string[];
  readonly failed: readonly { readonly external_id: string; readonly reason: string }[];
}

export function toResult(attempts: readonly Attempt[]): Result {
  return {
    done: attempts.filter(({ failure }) => !failure).map(({ registration }) => registration.externalId),
    failed: failuresOf(attempts).map(({ registration, failure }) => ({
      external_id: registration.externalId,
      reason: failure.details.code,
    })),
  };
}
