import { z } from 'zod';
import {
  type Connector,
  type Credential,
  type ProviderFailure,
  ProviderFailure as Failure,
} from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import { TributaryError, invalidInput } from '../core/errors.js';
import type { Evaluator } from '../core/expression/evaluator.js';
import { requireInput } from '../core/schema.js';
import type { DataKeys } from '../credential/data-keys.js';
import { toFields } from '../credential/oauth/tokens.js';
import type { SecretReferences } from '../credential/reference/references.js';
import type { Vault } from '../credential/vault.js';
import { type Change, changeConnection, requireTransition } from './change.js';
import { type Connection, CredentialRecord } from './connection.entity.js';
import { credentialSchemaOf, requireCredential } from './credential.js';
import { rotateEncryptionKey } from './encryption-key.js';
import type { RegistrationFailure } from './registered-webhooks.js';
import { rotateWebhook } from './rotate-webhook.js';
import type { Fields } from './material.js';
import { type TokenKeeper, tokenMethods } from './tokens.js';
import { type Finding, activate, identify } from './verify.js';
import type { WebhookSetup } from './webhook-endpoint.js';
import type { RegistrationDeps } from './webhook-setup.js';

export const rotateTargets = ['CREDENTIAL', 'WEBHOOK_SECRET', 'WEBHOOK_TOKEN', 'ENCRYPTION_KEY'] as const;
export type RotateTarget = (typeof rotateTargets)[number];

const DAY_SECONDS = 86_400;

const rotateCommand = z.strictObject({
  connectionId: z.string(),
  what: z.enum(rotateTargets),
  credential: z.record(z.string(), z.unknown()).nullish(),
  webhookSecret: z
    .string()
    .min(8, 'must be at least 8 characters')
    .max(2_000, 'must be at most 2,000 characters')
    .nullish(),
  overlapSeconds: z
    .number()
    .int()
    .min(0)
    .max(30 * DAY_SECONDS, 'must be at most 30 days')
    .default(DAY_SECONDS),
});

/** What `rotate` takes, whether it comes by GraphQL or REST. */
export type RotateCommand = z.input<typeof rotateCommand>;
type Checked = z.output<typeof rotateCommand>;

/** What came of it. */
export interface Rotated {
  readonly connection: Connection;
  /** The new URL or secret, shown this once. */
  readonly webhook: WebhookSetup | null;
  /** Why the provider does not take the new credential; the connection goes on with the one it has. */
  readonly failure: ProviderFailure | null;
  /** Webhooks that we registered and could not tell of the new URL or secret: a person has to, within the overlap. */
  readonly registrationFailures: readonly RegistrationFailure[];
}

export interface RotateDeps extends RegistrationDeps {
  readonly keys: DataKeys;
  readonly references: SecretReferences;
  readonly tokens: TokenKeeper;
  readonly evaluator: Evaluator;
}

export function checkRotate(command: RotateCommand): Checked {
  const checked = requireInput(rotateCommand, command);
  if (checked.what !== 'WEBHOOK_SECRET' && checked.webhookSecret != null) {
    throw invalidInput('webhookSecret', 'must be left out: it is for WEBHOOK_SECRET alone');
  }
  return checked;
}

/** See ConnectionService.rotate. */
export async function rotateConnection(
  deps: RotateDeps,
  caller: Caller,
  connection: Connection,
  checked: Checked,
): Promise<Rotated> {
  if (checked.what === 'CREDENTIAL') return rotateCredential(deps, caller, connection, checked);
  if (checked.what === 'ENCRYPTION_KEY') {
    await rotateEncryptionKey(deps, caller);
    return { connection, webhook: null, failure: null, registrationFailures: [] };
  }
  const { what, overlapSeconds, webhookSecret } = checked;
  const rotation = { what, overlapSeconds, webhookSecret };
  return { ...(await rotateWebhook(deps, caller, connection, rotation)), failure: null };
}

/** The new one is tried first, beside the old one, and takes its place only if it works. */
async function rotateCredential(
  deps: RotateDeps,
  caller: Caller,
  connection: Connection,
  { credential, overlapSeconds }: Checked,
): Promise<Rotated> {
  requireTransition(connection, 'rotated', 'rotated');
  const connector = deps.catalog.require(connection.providerId);
  const trial = await prepareTrial(deps, connection, connector, credential ?? {});
  const finding: Partial<Finding> =
    trial instanceof Failure
      ? { failure: trial }
      : sameAccount(connection, await identify(deps, caller, connection, 'rotate', trial.candidate));
  return changeConnection(deps, caller, connection.id, async (change) => {
    const record = await requireUnchanged(change, finding);
    const { identity, failure = null } = finding;
    if (identity && !(trial instanceof Failure)) {
      await storeCredential(deps.vault, record, { ...trial, overlapSeconds }, change.now);
      activate(change.connection, identity, 'rotated', change.now);
    }
    const request = { what: 'CREDENTIAL', credential: Object.keys(credential ?? {}) };
    change.attest('rotate', identity ? 'SUCCESS' : 'FAILURE', request, {
      credential_version: record.version,
      reason: failure?.details.code ?? null,
    });
    return { connection: change.connection, webhook: null, failure, registrationFailures: [] };
  });
}

/** A credential that is about to be tried, and what is stored of it when it works. */
export interface Trial {
  readonly fields: Fields;
  readonly candidate: Credential;
  readonly expiresAt: Date | null;
}

/** Throws UNSUPPORTED where only a person can give another one, and INVALID_INPUT. */
export async function prepareTrial(
  { references, tokens }: RotateDeps,
  connection: Connection,
  connector: Connector,
  given: Readonly<Record<string, unknown>>,
): Promise<Trial | ProviderFailure> {
  const { tenantId, authMethod } = connection;
  if (authMethod === 'OAUTH2') {
    throw new TributaryError('UNSUPPORTED', 'A person consents to this connection: call authorize instead.');
  }
  const schema = credentialSchemaOf(connector, authMethod);
  const { fields, credential } = await requireCredential(references, tenantId, schema, given);
  if (!tokenMethods.includes(authMethod)) return { fields, candidate: credential, expiresAt: null };
  const granted = await tokens.grant(connection, connector, credential);
  if (granted instanceof Failure) return granted;
  return {
    fields: { ...fields, ...toFields(granted) },
    candidate: { accessToken: granted.accessToken },
    expiresAt: granted.expiresAt ?? null,
  };
}

/** A credential of somebody else would turn the connection into another one, under the same history. */
export function sameAccount({ account }: Connection, finding: Finding): Finding {
  if (!finding.identity || !account || account.id === finding.identity.account.id) return finding;
  const failure = new Failure({
    category: 'INVALID',
    code: 'other_account',
    message: `This credential belongs to ${finding.identity.account.name}, the connection to ${account.name}. Connect the other account by itself.`,
  });
  return { ...finding, identity: undefined, failure };
}

/** Fenced by the version it was tried against: of two rotations at once one wins, and the other is told. */
async function requireUnchanged(
  { transaction, connection }: Change,
  { credentialVersion }: Partial<Finding>,
): Promise<CredentialRecord> {
  requireTransition(connection, 'rotated', 'rotated');
  const record = await transaction.findOneOrFail(CredentialRecord, { connectionId: connection.id });
  if (credentialVersion === undefined || record.version === credentialVersion) return record;
  throw new TributaryError('CONFLICT', 'The credential was replaced by someone else at the same time.');
}

export async function storeCredential(
  vault: Vault,
  record: CredentialRecord,
  {
    fields,
    expiresAt,
    overlapSeconds,
  }: Pick<Trial, 'fields' | 'expiresAt'> & { readonly overlapSeconds: number },
  now: Date,
): Promise<void> {
  const { tenantId, connectionId: id } = record;
  const version = record.version + 1;
  record.sealedPrevious = record.sealed;
  record.previousUntil = new Date(now.getTime() + overlapSeconds * 1000);
  record.expiresAt = expiresAt;
  record.sealed = await vault.seal(JSON.stringify(fields), { tenantId, id, field: 'credential', version });
  record.version = version;
  record.createdAt = now;
}
