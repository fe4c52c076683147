import { parentPort, workerData } from 'node:worker_threads';
import { constants, zstdCompressSync } from 'node:zlib';

// Also what a thread of the compressor runs, so nothing of ours is imported: it knows no key, no tenant and no place.

/** What a thread is started with so that it compresses. */
export const COMPRESSES = 'compresses';

/** Level 1: the next levels cost more time than the bytes they save. */
const PARAMS = { [constants.ZSTD_c_compressionLevel]: 1 };
/** Of most bodies all that is left; the default of 32 kB takes longer to be had than a body takes to be compressed. */
const CHUNK_BYTES = 8 * 1024;

/** One frame of Zstandard (RFC 8878) that says how long the body is. */
export function compress(body: Uint8Array): Buffer {
  return zstdCompressSync(body, { params: PARAMS, chunkSize: CHUNK_BYTES, pledgedSrcSize: body.length });
}

/** Byte strings one behind the other, in memory that can be handed to another thread. */
export interface Batch {
  readonly bytes: ArrayBuffer;
  readonly lengths: Uint32Array;
}

export function pack(parts: readonly Uint8Array[]): Batch {
  const lengths = Uint32Array.from(parts, ({ length }) => length);
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let start = 0;
  for (const part of parts) {
    bytes.set(part, start);
    start += part.length;
  }
  return { bytes: bytes.buffer, lengths };
}

/** The parts, in the memory of the whole. */
export function unpack({ bytes, lengths }: Batch): Buffer[] {
  let start = 0;
  return Array.from(lengths, (length) => {
    start += length;
    return Buffer.from(bytes, start - length, length);
  });
}

if (workerData === COMPRESSES) {
  parentPort?.on('message', (batch: Batch) => {
    const compressed = pack(unpack(batch).map(compress));
    parentPort?.postMessage(compressed, [compressed.bytes]);
  });
}
