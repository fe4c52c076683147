const POLYNOMIAL = 0x82f63b78; // Castagnoli, bits reversed
const table = Uint32Array.from({ length: 256 }, (_, byte) => shiftOut(byte));

/** CRC32C as Google counts it (RFC 3720 §B.4). Node's zlib has the other CRC-32 only. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (table[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function shiftOut(byte: number): number {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc;
}
