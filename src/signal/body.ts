import { zstdDecompressSync } from 'node:zlib';
import type { Log } from '../core/log.js';
import type { Vault } from '../credential/vault.js';
import { createCompressor } from './compressor.js';

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
  close(): Promise<void>;
}

export function createBodies(vault: Vault, log: Pick<Log, 'warn'>): Bodies {
  const compressor = createCompressor(log);
  return {
    seal: async (body, delivery) => vault.seal(await compressor.compress(body), placeOf(delivery)),
    async open(sealed, delivery) {
      const compressed = await vault.open(sealed, placeOf(delivery));
      const body = zstdDecompressSync(compressed);
      compressed.fill(0);
      return body;
    },
    close: compressor.close,
  };
}

function placeOf({ tenantId, id }: BodyPlace) {
  return { tenantId, id, field: 'delivery_body' } as const;
}
