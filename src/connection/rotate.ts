import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { type Credential, type ProviderFailure, ProviderFailure as Failure } from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import { TributaryError } from '../core/errors.js';
import { requireInput, requireValid } from '../core/schema.js';
import { Secret } from '../core/secret.js';
import type { Vault } from '../credential/vault.js';
import { type Change, changeConnection, requireTransition } from './change.js';
import { type Connection, CredentialRecord, WebhookEndpoint } from './connection.entity.js';
import { type Finding, type VerifyDeps, activate, identify } from './verify.js';
import { type WebhookSetup, hashToken, webhookUrl } from './webhook-endpoint.js';

export const rotateTargets = ['CREDENTIAL', 'WEBHOOK_SECRET', 'WEBHOOK_TOKEN'] as const;
export type RotateTarget = (typeof rotateTargets)[number];

const DAY_SECONDS = 86_400;

const rotateCommand = z.strictObject({
  connectionId: z.string(),
  what: z.enum(rotateTargets),
  credential: z.record(z.string(), z.unknown()).nullish(),
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
}

export interface RotateDeps extends VerifyDeps {
  readonly vault: Vault;
  readonly publicUrl: () => string;
}

export function checkRotate(command: RotateCommand): Checked {
  return requireInput(rotateCommand, command);
}

/** See ConnectionService.rotate. */
export function rotateConnection(
  deps: RotateDeps,
  caller: Caller,
  connection: Connection,
  checked: Checked,
): Promise<Rotated> {
  if (checked.what === 'CREDENTIAL') return rotateCredential(deps, caller, connection, checked);
  return rotateWebhook(deps, caller, checked);
}

/** The new one is tried first, beside the old one, and takes its place only if it works. */
async function rotateCredential(
  deps: RotateDeps,
  caller: Caller,
  connection: Connection,
  { credential = {} }: Checked,
): Promise<Rotated> {
  requireTransition(connection, 'rotated', 'rotated');
  const { manifest } = deps.catalog.require(connection.providerId);
  requireValid(manifest.credentialSchema, credential ?? {}, 'credential');
  const candidate = toCredential(credential ?? {});
  const finding = sameAccount(connection, await identify(deps, caller, connection, candidate));
  return changeConnection(deps, caller, connection.id, async (change) => {
    const record = await requireUnchanged(change, finding);
    const { identity, failure = null } = finding;
    if (identity) {
      storeCredential(deps.vault, record, credential ?? {}, change.now);
      activate(change.connection, identity, 'rotated', change.now);
    }
    const request = { what: 'CREDENTIAL', credential: Object.keys(candidate) };
    change.attest('rotate', identity ? 'SUCCESS' : 'FAILURE', request, {
      credential_version: record.version,
      reason: failure?.details.code ?? null,
    });
    return { connection: change.connection, webhook: null, failure };
  });
}

function toCredential(fields: Record<string, unknown>): Credential {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, new Secret(String(value))]));
}

/** A credential of somebody else would turn the connection into another one, under the same history. */
function sameAccount({ account }: Connection, finding: Finding): Finding {
  if (!finding.identity || !account || account.id === finding.identity.account.id) return finding;
  const failure = new Failure({
    category: 'INVALID',
    code: 'other_account',
    message: `This credential belongs to ${finding.identity.account.name}, the connection to ${account.name}. Connect the other account by itself.`,
  });
  return { credentialVersion: finding.credentialVersion, failure };
}

/** Fenced by the version it was tried against: of two rotations at once one wins, and the other is told. */
async function requireUnchanged(
  { transaction, connection }: Change,
  { credentialVersion }: Finding,
): Promise<CredentialRecord> {
  requireTransition(connection, 'rotated', 'rotated');
  const record = await transaction.findOneOrFail(CredentialRecord, { connectionId: connection.id });
  if (record.version === credentialVersion) return record;
  throw new TributaryError('CONFLICT', 'The credential was replaced by someone else at the same time.');
}

function storeCredential(
  vault: Vault,
  record: CredentialRecord,
  fields: Record<string, unknown>,
  now: Date,
): void {
  const place = { tenantId: record.tenantId, id: record.connectionId, field: 'credential' } as const;
  record.sealed = vault.seal(JSON.stringify(fields), place);
  record.version += 1;
  record.createdAt = now;
}

/** The old secret or token goes on working beside the new one for `overlapSeconds`. */
function rotateWebhook(
  { vault, publicUrl, ...deps }: RotateDeps,
  caller: Caller,
  { connectionId, what, overlapSeconds }: Checked,
): Promise<Rotated> {
  return changeConnection(deps, caller, connectionId, async (change) => {
    const { transaction, connection, now } = change;
    const endpoint = await transaction.findOne(WebhookEndpoint, { connectionId });
    if (!endpoint) throw new TributaryError('UNSUPPORTED', 'This connection takes no webhooks.');
    const until = new Date(now.getTime() + overlapSeconds * 1000);
    const isToken = what === 'WEBHOOK_TOKEN';
    if (isToken) replaceToken(vault, endpoint, until);
    else replaceSecret(vault, endpoint, until, now);
    connection.updatedAt = now;
    change.attest(
      'rotate',
      'SUCCESS',
      { what, overlap_seconds: overlapSeconds },
      { previous_until: until.toISOString() },
    );
    return { connection, webhook: toSetup(vault, endpoint, publicUrl(), !isToken), failure: null };
  });
}

function replaceToken(vault: Vault, endpoint: WebhookEndpoint, until: Date): void {
  const token = randomBytes(32).toString('base64url');
  endpoint.previousTokenHash = endpoint.tokenHash;
  endpoint.previousTokenUntil = until;
  endpoint.tokenHash = hashToken(token);
  endpoint.sealedToken = vault.seal(token, placeOf(endpoint, 'webhook_token'));
}

function replaceSecret(vault: Vault, endpoint: WebhookEndpoint, until: Date, now: Date): void {
  const secret = randomBytes(32).toString('base64url');
  endpoint.sealedPreviousSecret = endpoint.sealedSecret;
  endpoint.previousSecretUntil = until;
  endpoint.sealedSecret = vault.seal(secret, placeOf(endpoint, 'webhook_secret'));
  endpoint.secretCreatedAt = now;
}

function toSetup(
  vault: Vault,
  endpoint: WebhookEndpoint,
  publicUrl: string,
  showsSecret: boolean,
): WebhookSetup {
  const token = vault.open(endpoint.sealedToken, placeOf(endpoint, 'webhook_token')).toString('utf8');
  const url = webhookUrl(publicUrl, endpoint.providerId, token);
  if (!showsSecret) return { url, secret: null };
  const secret = vault.open(endpoint.sealedSecret, placeOf(endpoint, 'webhook_secret')).toString('utf8');
  return { url, secret: new Secret(secret) };
}

function placeOf({ tenantId, connectionId }: WebhookEndpoint, field: 'webhook_token' | 'webhook_secret') {
  return { tenantId, id: connectionId, field } as const;
}
