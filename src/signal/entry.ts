import { constants, zstdCompressSync } from 'node:zlib';
import { v7 as uuidV7 } from 'uuid';
import type { Connector, ProviderEvent } from '../connector/index.js';
import type { Log } from '../core/log.js';
import type { Vault } from '../credential/vault.js';
import { type SignalOrigin, type SignalRecord, toSignals } from './envelope.js';
import type { JournalEntry } from './journal.js';

/** A connector whose events become signals. */
export type Normalizing = Pick<Connector, 'manifest'> & Required<Pick<Connector, 'normalize'>>;

export interface EntryDeps {
  readonly environment: SignalOrigin['environment'];
  readonly log: Log;
}

/** A journal entry that still lacks its body. */
export type BodilessEntry = Omit<JournalEntry, 'body'>;

/** Makes of one event, whichever way it came, what the journal keeps of it. */
export function toBodilessEntry(
  { environment, log }: EntryDeps,
  connector: Normalizing,
  { tenantId, connectionId }: Pick<SignalOrigin, 'tenantId' | 'connectionId'>,
  event: ProviderEvent,
  contentType: string,
): BodilessEntry {
  const providerId = connector.manifest.id;
  const deliveryId = uuidV7();
  const origin = { tenantId, connectionId, providerId, environment, deliveryId };
  const { signals, failure } = normalize(connector, origin, event, log);
  const delivery = {
    id: deliveryId,
    tenant_id: tenantId,
    connection_id: connectionId,
    provider_id: providerId,
    event_id: event.id,
    event_type: event.type.slice(0, 255),
    api_version: event.apiVersion,
    content_type: contentType,
    received_at: event.receivedAt.toISOString(),
    failure,
  };
  return { delivery, signals };
}

/** Completes an entry by its body, compressed and then sealed. */
export async function sealEntry(vault: Vault, entry: BodilessEntry, body: Buffer): Promise<JournalEntry> {
  const { tenant_id: tenantId, id } = entry.delivery;
  return { ...entry, body: await vault.seal(compress(body), { tenantId, id, field: 'delivery_body' }) };
}

/**
 * A connector that throws here has a bug the provider can't mend: the delivery is kept without signals, as a dead
 * letter, and acknowledged.
 */
export function normalize(
  { normalize: toDrafts }: Normalizing,
  origin: SignalOrigin,
  event: ProviderEvent,
  log: Log,
): { signals: readonly SignalRecord[]; failure: string | undefined } {
  try {
    return { signals: toSignals(origin, event, toDrafts(event)), failure: undefined };
  } catch (error) {
    const { providerId, connectionId } = origin;
    log.error(
      { err: error, providerId, connectionId, eventType: event.type, eventId: event.id },
      'normalising an event failed',
    );
    return { signals: [], failure: reasonOf(error) };
  }
}

const MAX_REASON = 500;

function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}`.slice(0, MAX_REASON) : 'unknown error';
}

/** Level 1: the next levels cost more time than the bytes they save. */
const COMPRESSION = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

function compress(body: Buffer): Buffer {
  return zstdCompressSync(body, COMPRESSION);
}
