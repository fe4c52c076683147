import type { JsonObject } from '../connector/index.js';
import type { ReceiptBody } from './leaf.js';

/**
 * The export of receipts: JSON Lines, each line canonical JSON (RFC 8785) and ended by a newline; first the header, then
 * a record for each leaf of one unbroken range, in order. Everything in it is bound to the checkpoint's signature, so
 * that no byte can be another one unnoticed. Described for readers in docs/receipts.md.
 */
export const FORMAT = 'tributary-receipts/1';

export interface ExportHeader {
  readonly format: typeof FORMAT;
  readonly tenant_id: string;
  /** The signed note that every record's proof leads to. */
  readonly checkpoint: string;
  /** Index of the first record's leaf. */
  readonly first: number;
  /** Records that follow. */
  readonly count: number;
  /** From an older checkpoint's size, where one was asked for; hashes in base64. */
  readonly consistency: { readonly from_size: number; readonly hashes: readonly string[] } | null;
}

export interface ExportRecord {
  readonly index: number;
  /** The leaf's bytes are this value as canonical JSON. */
  readonly leaf: JsonObject;
  /** Null, like the salt, once it was deleted. */
  readonly body: ReceiptBody | null;
  /** In base64. */
  readonly salt: string | null;
  /** The inclusion proof: hashes in base64, from the leaf's neighbour up to the root. */
  readonly proof: readonly string[];
}
