import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type DocumentNode, print } from 'graphql';
import { z } from 'zod';
import { ConfigError } from '../src/core/errors.js';
import { refusal } from './limits.js';

/** The documents that are answered when no others are. */
export interface TrustedDocuments {
  /** Throws GRAPHQL_VALIDATION_FAILED for any other document. Spaces and comments make none another. */
  require(document: DocumentNode): void;
  /** The text of a document by its id, the SHA-256 of it: what Apollo's clients send in place of a text. */
  find(id: string): string | undefined;
}

/** As Apollo's tools write it: https://www.apollographql.com/docs/graphos/platform/security/persisted-queries */
const manifestSchema = z.object({
  format: z.literal('apollo-persisted-query-manifest'),
  version: z.literal(1),
  operations: z.array(z.object({ id: z.string(), body: z.string() })),
});

/** Reads a manifest. Throws {@link ConfigError} where it is none. */
export function readTrustedDocuments(path: string): TrustedDocuments {
  const texts = new Map(readManifest(path).map(({ id, body }) => [id, body]));
  return {
    require(document) {
      if (texts.has(documentId(document))) return;
      throw refusal('Only documents that were registered are answered here. Add it to schema/operations.');
    },
    find: (id) => texts.get(id),
  };
}

/** By what a document is known, however it is laid out. */
export function documentId(document: DocumentNode): string {
  return createHash('sha256').update(print(document)).digest('hex');
}

function readManifest(path: string) {
  try {
    return manifestSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).operations;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(`GRAPHQL_TRUSTED_DOCUMENTS: ${path} is no manifest of operations: ${reason}`, {
      cause,
    });
  }
}
