import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import {
  type JsonObject,
  type ProviderFailure,
  ProviderFailure as Failure,
  apiUrlOf,
} from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import { TributaryError, invalidInput } from '../core/errors.js';
import { requireInput, requireValid } from '../core/schema.js';
import { storable } from '../core/storable.js';
import { type Change, changeConnection, requireTransition } from './change.js';
import { Connection, CredentialRecord } from './connection.entity.js';
import { labels } from './lifecycle.js';
import { type RotateDeps, type Trial, prepareTrial, sameAccount, storeCredential } from './rotate.js';
import { requireSound } from './settings.js';
import { updateRegistrations } from './update-registrations.js';
import { type Finding, activate, identify } from './verify.js';

const updateCommand = z.strictObject({
  connectionId: z.string(),
  name: labels.name.nullish(),
  description: labels.description,
  tags: labels.tags,
  settings: z.record(z.string(), z.unknown()).nullish(),
  credential: z.record(z.string(), z.unknown()).nullish(),
});

/**
 * What `updateConnection` takes. A field that is left out stays as it is; `description: null` takes it away. `settings`
 * are all of the new ones; `credential` goes with those that name another address of the provider.
 */
export type UpdateCommand = z.input<typeof updateCommand>;
type Checked = z.output<typeof updateCommand>;

/** Settings that may take the place of others. */
interface NewSettings {
  readonly settings: JsonObject;
  readonly previous: JsonObject;
  /** They lead to another address. */
  readonly isElsewhere: boolean;
  /** The credential that was tried at that address, to be stored. */
  readonly trial?: Trial;
  /** What the provider said to them; undefined where nobody could be asked. */
  readonly finding?: Finding;
}

/** See ConnectionService.update. */
export async function updateConnection(
  deps: RotateDeps,
  caller: Caller,
  existing: Connection,
  command: UpdateCommand,
): Promise<Connection> {
  const checked = requireInput(updateCommand, command);
  const wanted = await prepareSettings(deps, caller, existing, checked);
  const changed = await changeConnection(deps, caller, existing.id, async (change) => {
    const { transaction, connection, now, attest } = change;
    if (wanted) await applySettings(deps, change, wanted);
    applyLabels(connection, checked);
    connection.updatedAt = now;
    attest('update', 'SUCCESS', toRequest(checked), toResult(connection, wanted));
    // Now, so that a name that is taken is told here and not at the commit.
    await transaction.flush();
    return connection;
  });
  if (wanted?.isElsewhere) await updateRegistrations(deps, caller, changed);
  return changed;
}

function applyLabels(connection: Connection, { name, description, tags }: Checked): void {
  if (name) connection.name = name;
  if (description !== undefined) connection.description = description;
  if (tags) connection.tags = [...new Set(tags)];
}

function toRequest({ credential }: Checked): JsonObject {
  return credential ? { credential: Object.keys(credential) } : {};
}

function toResult({ name, description, tags, settings }: Connection, wanted: NewSettings | null): JsonObject {
  return { name, description: description ?? null, tags, ...(wanted && { settings }) };
}

/**
 * Settings are tried beside those that work, and only then take their place. A connection that does not work has
 * nothing to lose: its next verify tries them. Null where none are given, or the same. Throws INVALID_INPUT,
 * UNSUPPORTED or SETTINGS_REFUSED.
 */
async function prepareSettings(
  deps: RotateDeps,
  caller: Caller,
  existing: Connection,
  { settings, credential }: Checked,
): Promise<NewSettings | null> {
  const connector = deps.catalog.require(existing.providerId);
  const { manifest } = connector;
  if (settings) {
    requireValid(manifest.settingsSchema, settings, 'settings');
    await requireSound(deps.evaluator, connector, caller.tenantId, settings);
  }
  const wanted = storable<JsonObject>(settings ?? existing.settings);
  const isElsewhere = apiUrlOf(manifest, wanted) !== apiUrlOf(manifest, existing.settings);
  requireCredential(existing, isElsewhere, credential);
  if (isDeepStrictEqual(wanted, existing.settings)) return null;
  const plain = { settings: wanted, previous: existing.settings, isElsewhere };
  if (!credential && existing.status !== 'ACTIVE') return plain;
  if (credential) requireTransition(existing, 'rotated', 'moved to another address');
  // A copy of its own, that nobody writes.
  const shadow = await deps.db.for(caller).findOneOrFail(Connection, { id: existing.id });
  shadow.settings = wanted;
  const trial = credential ? await prepareTrial(deps, shadow, connector, credential) : undefined;
  if (trial instanceof Failure) throw await refuse(deps, caller, existing, trial);
  const asked = await identify(deps, caller, shadow, 'update', trial?.candidate);
  const finding = sameAccount(existing, asked);
  if (finding.failure) throw await refuse(deps, caller, existing, finding.failure);
  return { ...plain, finding, ...(trial && { trial }) };
}

/**
 * A credential is for the address that it was given for: whoever may only change settings must not be able to have it
 * sent elsewhere, where somebody might read it.
 */
function requireCredential(
  { authMethod }: Connection,
  isElsewhere: boolean,
  credential: Checked['credential'],
): void {
  if (!isElsewhere) {
    if (!credential) return;
    throw invalidInput('credential', 'goes with settings that name another address; else call rotate');
  }
  if (authMethod === 'OAUTH2') {
    const message =
      'A person consented to this connection at the address that it has. Connect the other one by itself.';
    throw new TributaryError('UNSUPPORTED', message);
  }
  if (!credential)
    throw invalidInput('credential', 'is needed, since the one there is was given for the old address');
}

async function applySettings(deps: RotateDeps, change: Change, wanted: NewSettings): Promise<void> {
  const { connection, transaction, now } = change;
  const { settings, previous, finding, trial } = wanted;
  const record = await transaction.findOne(CredentialRecord, { connectionId: connection.id });
  const isSame =
    isDeepStrictEqual(connection.settings, previous) &&
    (!finding || (connection.status !== 'SUSPENDED' && record?.version === finding.credentialVersion));
  if (!isSame) {
    throw new TributaryError('CONFLICT', 'The connection was changed by someone else at the same time.');
  }
  connection.settings = settings;
  if (trial && record) await storeCredential(deps.vault, record, { ...trial, overlapSeconds: 0 }, now);
  if (finding?.identity) activate(connection, finding.identity, trial ? 'rotated' : 'verified', now);
}

/** Attests that nothing was changed, and answers why. */
async function refuse(
  deps: RotateDeps,
  caller: Caller,
  { id }: Connection,
  { details }: ProviderFailure,
): Promise<TributaryError> {
  await changeConnection(deps, caller, id, ({ attest }) =>
    attest('update', 'FAILURE', {}, { reason: details.code }),
  );
  const { category, code, message, retryAt } = details;
  const text = `${message} Nothing was changed, and the connection goes on as it was.`;
  return new TributaryError('SETTINGS_REFUSED', text, {
    category,
    reason: code,
    ...(retryAt && { retry_at: retryAt.toISOString() }),
  });
}
