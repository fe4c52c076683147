/** Bytes as GraphQL tells them: RFC 4648 §4. */
export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
