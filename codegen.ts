import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { codegen } from '@graphql-codegen/core';
import * as typedDocumentNode from '@graphql-codegen/typed-document-node';
import * as typescriptOperations from '@graphql-codegen/typescript-operations';
import { getOperationAST, parse, print, printSchema, separateOperations } from 'graphql';
import { buildSchema } from './resolvers/schema.js';
import { documentId } from './resolvers/trusted.js';
import { writeOrCheck } from './scripts/generated.js';

const OPERATIONS = 'schema/operations';
const OUTPUT = 'schema/generated/operations.ts';
const MANIFEST = 'schema/generated/trusted-documents.json';
const HEADER = '// Generated from schema/operations by `npm run codegen`; do not edit.\n';

/** How our scalars look to a client, before and after JSON. */
const scalars = {
  Cursor: 'string',
  DateTime: 'string',
  JSONObject: 'Record<string, unknown>',
  URL: 'string',
};

const documents = readdirSync(OPERATIONS)
  .filter((file) => file.endsWith('.graphql'))
  .toSorted()
  .map((file) => join(OPERATIONS, file))
  .map((location) => ({ location, document: parse(readFileSync(location, 'utf8')) }));

const code = await codegen({
  schema: parse(printSchema(buildSchema().schema)),
  documents,
  filename: OUTPUT,
  config: { scalars, enumsAsTypes: true, useTypeImports: true, defaultScalarType: 'unknown' },
  plugins: [{ operations: {} }, { documents: {} }],
  pluginMap: { operations: typescriptOperations, documents: typedDocumentNode },
});
writeOrCheck(OUTPUT, HEADER + code, 'npm run codegen');

/** For GRAPHQL_TRUSTED_DOCUMENTS: each operation alone with its fragments, as the typed documents are. */
const operations = documents.flatMap(({ document }) =>
  Object.values(separateOperations(document)).map((one) => {
    const { name, operation: type } = getOperationAST(one) ?? {};
    return { id: documentId(one), name: name?.value, type, body: print(one) };
  }),
);
const manifest = { format: 'apollo-persisted-query-manifest', version: 1, operations };
writeOrCheck(MANIFEST, `${JSON.stringify(manifest, null, 2)}\n`, 'npm run codegen');
