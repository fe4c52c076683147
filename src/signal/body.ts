import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Vault } from '../credential/vault.js';

/** The delivery that a body belongs to. */
export interface BodyPlace {
  readonly tenantId: string;
  readonly id: string;
}

/** How deliveries' bodies are kept: compressed, and then sealed. Both ways throw VAULT_UNAVAILABLE, see {@link Vault}. */
export interface Bodies {
  seal(body: Buffer, delivery: BodyPlace): Promise<Buffer>;
  /** Throws when the bytes were altered, or are another delivery's. */
  open(sealed: Uint8Array, delivery: BodyPlace): Promise<Buffer>;
}

export function createBodies(vault: Vault): Bodies {
  return {
    seal: (body, delivery) => vault.seal(compress(body), placeOf(delivery)),
    async open(sealed, delivery) {
      const compressed = await vault.open(sealed, placeOf(delivery));
      const body = zstdDecompressSync(compressed);
      compressed.fill(0);
      return body;
    },
  };
}

function placeOf({ tenantId, id }: BodyPlace) {
  return { tenantId, id, field: 'delivery_body' } as const;
}

/** Level 1: the next levels cost more time than the bytes they save. */
const PARAMS = { [constants.ZSTD_c_compressionLevel]: 1 };
/** Of most bodies all that is left; the default of 32 kB takes longer to be had than a body takes to be compressed. */
const CHUNK_BYTES = 8 * 1024;

function compress(body: Buffer): Buffer {
  return zstdCompressSync(body, { params: PARAMS, chunkSize: CHUNK_BYTES, pledgedSrcSize: body.length });
}
