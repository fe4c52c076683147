import { type KeyObject, randomBytes } from 'node:crypto';
import { v7 as uuidV7 } from 'uuid';
import { OPERATOR } from '../core/caller.js';
import type { Clock } from '../core/clock.js';
import type { Db } from '../core/db.js';
import type { Vault } from '../credential/vault.js';
import { addReceipt } from './log.js';
import { publicKeyOf, toSigningKey } from './note.js';
import { CheckpointKey } from './receipt.entity.js';

/** The key that signs now. */
export interface SigningKey {
  readonly id: string;
  readonly version: number;
  readonly key: KeyObject;
}

/** A key as everybody may know it. */
export interface PublicKey {
  readonly version: number;
  /** 32 bytes: RFC 8032. */
  readonly publicKey: Buffer;
  readonly validFrom: Date;
  /** Null for the one that signs now. */
  readonly validUntil: Date | null;
}

/**
 * The deployment's Ed25519 keys for checkpoints, in versions: one signs, those before it are listed for ever. The seed
 * is sealed like a secret of the operator's own, and deleted when the next key takes over.
 */
export interface CheckpointKeys {
  /** Made when there is none. Throws VAULT_UNAVAILABLE while its seal can't be opened. */
  current(): Promise<SigningKey>;
  /** Oldest first. */
  list(): Promise<readonly PublicKey[]>;
  /** Makes the next key, which signs from now on. Answers its version. */
  rotate(): Promise<number>;
}

export interface CheckpointKeysDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly vault: Vault;
}

const SEED_BYTES = 32;
/** The transaction that replaces a key, against another that does the same. */
const ROTATE_LOCK = 7_236_005;

export function createCheckpointKeys(deps: CheckpointKeysDeps): CheckpointKeys {
  const { db, vault } = deps;
  let opened: SigningKey | undefined;

  async function open({ id, version, sealedSeed }: CheckpointKey): Promise<SigningKey> {
    if (!sealedSeed) throw new Error(`checkpoint key ${version} has no seed any more`);
    const seed = await vault.open(sealedSeed, placeOf(id));
    try {
      return { id, version, key: toSigningKey(seed) };
    } finally {
      seed.fill(0);
    }
  }

  return {
    async current() {
      const stored = (await findCurrent(db)) ?? (await makeFirst(deps));
      if (opened?.id !== stored.id) opened = await open(stored);
      return opened;
    },
    async list() {
      const keys = await db
        .for({ tenantId: OPERATOR })
        .find(CheckpointKey, {}, { orderBy: { version: 'asc' } });
      return keys.map(({ version, publicKey, createdAt, retiredAt }) => ({
        version,
        publicKey: Buffer.from(publicKey),
        validFrom: createdAt,
        validUntil: retiredAt ?? null,
      }));
    },
    rotate: () => replace(deps, () => true),
  };
}

function findCurrent(db: Db): Promise<CheckpointKey | null> {
  return db.for({ tenantId: OPERATOR }).findOne(CheckpointKey, { retiredAt: null });
}

/** Of several processes at once one makes it; the others find it. */
async function makeFirst(deps: CheckpointKeysDeps): Promise<CheckpointKey> {
  await replace(deps, (known) => known === null);
  const made = await findCurrent(deps.db);
  if (!made) throw new Error('the first checkpoint key was made and then not found');
  return made;
}

/** Makes the next key, unless the one there is tells not to. Answers the version that signs from now on. */
async function replace(
  { db, clock, vault }: CheckpointKeysDeps,
  isWanted: (known: CheckpointKey | null) => boolean,
): Promise<number> {
  const made = await make(vault);
  return db.for({ tenantId: OPERATOR }).transactional(async (transaction) => {
    await transaction.execute('select pg_advisory_xact_lock(?)', [ROTATE_LOCK]);
    const known = await transaction.findOne(CheckpointKey, { retiredAt: null });
    if (!isWanted(known)) return known?.version ?? 0;
    const [now, version] = [clock.now(), (known?.version ?? 0) + 1];
    if (known) Object.assign(known, { retiredAt: now, sealedSeed: null });
    await transaction.insert(CheckpointKey, { ...made, version, createdAt: now });
    addReceipt(transaction, {
      tenantId: OPERATOR,
      operation: `integration.checkpoint_key.tributary.${known ? 'rotate' : 'make'}`,
      outcome: 'SUCCESS',
      actor: known ? 'operator' : 'system',
      correlationId: uuidV7(),
      request: {},
      result: { version, public_key: made.publicKey.toString('base64') },
      occurredAt: now,
    });
    return version;
  });
}

async function make(vault: Vault) {
  const [id, seed] = [uuidV7(), randomBytes(SEED_BYTES)];
  const publicKey = publicKeyOf(toSigningKey(seed));
  const sealedSeed = await vault.seal(seed, placeOf(id));
  seed.fill(0);
  return { id, tenantId: OPERATOR, publicKey, sealedSeed };
}

function placeOf(id: string) {
  return { tenantId: OPERATOR, id, field: 'checkpoint_key' } as const;
}
