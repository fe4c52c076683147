import { v7 as uuidV7 } from 'uuid';
import { z } from 'zod';
import {
  type AuthMethod,
  type Capability,
  type Connector,
  authMethods,
  capabilities,
  capabilitiesOf,
} from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import type { EntityManager } from '../core/db.js';
import { TributaryError, invalidInput } from '../core/errors.js';
import type { Evaluator } from '../core/expression/evaluator.js';
import { requireInput, requireValid } from '../core/schema.js';
import type { Vault } from '../credential/vault.js';
import { Connection, CredentialRecord } from './connection.entity.js';
import type { GivenCredential } from './credential.js';
import { labels } from './lifecycle.js';
import { requireSound } from './settings.js';
import { tokenMethods } from './tokens.js';

const connectCommand = z.strictObject({
  providerId: z.string(),
  name: labels.name,
  description: labels.description,
  authMethod: z.enum(authMethods),
  credential: z.record(z.string(), z.unknown()).nullish(),
  settings: z.record(z.string(), z.unknown()).nullish(),
  returnTo: z.string().nullish(),
  capabilities: z.array(z.enum(capabilities)).min(1, 'must name at least one, or be left out').nullish(),
  tags: labels.tags,
});

/** What `connect` takes, whether it comes by GraphQL or REST. */
export type ConnectCommand = z.input<typeof connectCommand>;

/** A connect command that its provider accepts; its credential is still to be checked. */
export type CheckedConnect = Awaited<ReturnType<typeof checkConnect>>;

/** Checks shape first, then what the provider's manifest says. Throws INVALID_INPUT, UNSUPPORTED or RATE_LIMITED. */
export async function checkConnect(
  evaluator: Evaluator,
  { tenantId }: Caller,
  command: ConnectCommand,
  connector: Connector,
) {
  const checked = requireInput(connectCommand, command);
  const { manifest } = connector;
  if (!manifest.authMethods.includes(checked.authMethod)) {
    const offered = manifest.authMethods.join(', ');
    throw new TributaryError(
      'UNSUPPORTED',
      `${manifest.name} can’t be connected by ${checked.authMethod}; use ${offered}.`,
    );
  }
  const settings = checked.settings ?? {};
  requireValid(manifest.settingsSchema, settings, 'settings');
  await requireSound(evaluator, connector, tenantId, settings);
  return {
    name: checked.name,
    description: checked.description ?? null,
    authMethod: checked.authMethod,
    credential: requireGiven(checked.authMethod, checked.credential ?? null),
    returnTo: requireConsent(checked.authMethod, checked.returnTo ?? null),
    settings,
    capabilities: requireCapabilities(connector, checked.capabilities ?? undefined),
    tags: [...new Set(checked.tags)],
  };
}

/** Null where a person consents instead. */
function requireGiven(
  method: AuthMethod,
  credential: Readonly<Record<string, unknown>> | null,
): Readonly<Record<string, unknown>> | null {
  if (method !== 'OAUTH2') return credential ?? {};
  if (credential === null) return null;
  throw invalidInput(
    'credential',
    'must be left out: a person consents at the provider, by authorizationUrl',
  );
}

/** Nobody is sent anywhere without a consent: what stands here then may be meant for another field. */
function requireConsent(method: AuthMethod, returnTo: string | null): string | null {
  if (method === 'OAUTH2' || returnTo === null) return returnTo;
  throw invalidInput('returnTo', 'must be left out: no browser is sent anywhere');
}

function requireCapabilities(connector: Connector, wanted: readonly Capability[] | undefined): Capability[] {
  const offered = capabilitiesOf(connector);
  const missing = wanted?.find((capability) => !offered.includes(capability));
  if (missing)
    throw invalidInput(
      'capabilities',
      `${connector.manifest.name} has no ${missing}; it has ${offered.join(', ')}`,
    );
  return [...new Set(wanted ?? offered)];
}

export function addConnection(
  transaction: EntityManager,
  { tenantId }: Caller,
  providerId: string,
  checked: CheckedConnect,
  now: Date,
): Connection {
  const { credential, returnTo: _notKept, ...visible } = checked;
  const status = credential ? 'PENDING_VERIFICATION' : 'AUTHORIZING';
  return transaction.create(
    Connection,
    { id: uuidV7(), tenantId, providerId, ...visible, status, createdAt: now, updatedAt: now },
    { persist: true },
  );
}

export async function addCredential(
  transaction: EntityManager,
  vault: Vault,
  { id, tenantId, createdAt, authMethod }: Connection,
  { fields }: GivenCredential,
): Promise<void> {
  const place = { tenantId, id, field: 'credential', version: 1 } as const;
  const isGrant = tokenMethods.includes(authMethod);
  // A token that has ended before it began: the first use asks for one.
  const stored = isGrant ? { ...fields, access_token: '' } : fields;
  const sealed = await vault.seal(JSON.stringify(stored), place);
  const expiresAt = isGrant ? createdAt : null;
  const record = { connectionId: id, tenantId, version: place.version, sealed, createdAt, expiresAt };
  transaction.create(CredentialRecord, record, { persist: true });
}

/** For the receipt: which secret fields were given, never what is in them. */
export function describe({ credential, ...visible }: CheckedConnect): Record<string, unknown> {
  return { ...visible, credential: Object.keys(credential ?? {}) };
}
