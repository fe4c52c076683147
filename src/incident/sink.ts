import { v7 as uuidV7 } from 'uuid';
import { z } from 'zod';
import type { Caller } from '../core/caller.js';
import type { Clock } from '../core/clock.js';
import type { Db, EntityManager } from '../core/db.js';
import { invalidInput } from '../core/errors.js';
import { requireInput } from '../core/schema.js';
import type { Secret } from '../core/secret.js';
import type { Vault } from '../credential/vault.js';
import { EgressRefused, type EgressPolicy } from '../outbound/egress.js';
import { attestSetting, toAddressChange } from '../receipt/setting.js';
import { IncidentSink } from './incident.entity.js';
import { makeSigningSecret } from './sign.js';

const setCommand = z.strictObject({
  url: z.url('must be a URL').max(2_000, 'must be at most 2,000 characters').nullable(),
});

/** What `setIncidentSink` takes: where to, or null for nowhere. */
export type SetSinkCommand = z.input<typeof setCommand>;

export interface SinkDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly vault: Vault;
  readonly egress: Pick<EgressPolicy, 'checkUrl'>;
}

/** A sink that was just set. */
export interface SetSink {
  readonly sink: IncidentSink | null;
  /** Told this once; null where the sink was taken away. */
  readonly secret: Secret | null;
}

/** See IncidentService.setSink. */
export async function setSink(deps: SinkDeps, caller: Caller, command: SetSinkCommand): Promise<SetSink> {
  const { url } = requireInput(setCommand, command);
  const made = url === null ? undefined : await makeSink(deps, caller, requireCallable(deps.egress, url));
  await deps.db.for(caller).transactional(async (transaction) => {
    if (made) await store(transaction, made.sink);
    else await transaction.nativeDelete(IncidentSink, { tenantId: caller.tenantId });
    const change = { setting: 'incident_sink', ...toAddressChange(url) } as const;
    attestSetting(transaction, caller, { ...change, occurredAt: deps.clock.now() });
  });
  return { sink: made?.sink ?? null, secret: made?.secret ?? null };
}

/** With a new id, so that what was sealed for the one before does not open for this one. */
async function store(
  transaction: EntityManager,
  { id, tenantId, url, sealedSecret, updatedAt }: IncidentSink,
): Promise<void> {
  await transaction.execute(STORE, [id, tenantId, url, sealedSecret, updatedAt]);
}

const STORE = `
  insert into incident_sinks (id, tenant_id, url, sealed_secret, updated_at) values (?, ?, ?, ?, ?)
  on conflict (tenant_id) do update
  set id = excluded.id, url = excluded.url, sealed_secret = excluded.sealed_secret, updated_at = excluded.updated_at`;

/** The sink's secret, for one signature. */
export function openSinkSecret(vault: Vault, sink: IncidentSink): Promise<Secret> {
  return vault.openSecret(sink.sealedSecret, placeOf(sink));
}

async function makeSink({ vault, clock }: SinkDeps, { tenantId }: Caller, url: string) {
  const [id, secret] = [uuidV7(), makeSigningSecret()];
  const sealedSecret = await vault.seal(secret.reveal(), placeOf({ tenantId, id }));
  return { sink: { id, tenantId, url, sealedSecret, updatedAt: clock.now() }, secret };
}

/** Says now what every delivery would meet. What a name resolves to is checked when it is called. Throws INVALID_INPUT. */
export function requireCallable(egress: Pick<EgressPolicy, 'checkUrl'>, text: string): string {
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') throw invalidInput('url', 'must not hold a password');
  try {
    egress.checkUrl(url);
  } catch (error) {
    if (error instanceof EgressRefused) throw invalidInput('url', error.message);
    throw error;
  }
  return url.href;
}

function placeOf({ tenantId, id }: Pick<IncidentSink, 'tenantId' | 'id'>) {
  return { tenantId, id, field: 'incident_sink_secret' } as const;
}
