import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect } from 'vitest';
import {
  type ActionContext,
  type ActionOutcome,
  type ActionSpec,
  type Connector,
  type JsonSchema,
  type Verb,
  capabilitiesOf,
  signalTypes,
  verbs,
} from '../../src/connector/index.js';
import { type ConformanceTest, check } from './checks.js';
import { folderOf } from './fixtures.js';
import type { ConformanceSubject } from './subject.js';

/** What the connector says of itself. */
export function* manifestChecks({ connector, folder }: ConformanceSubject): Iterable<ConformanceTest> {
  const { manifest } = connector;
  const actions = specsOf(connector);

  yield check('META-01', () => expect(manifest.id).toBe(folder));
  yield check('META-02', () => {
    const { baseUrl, documentationUrl, logoUrl = 'https://' } = manifest;
    for (const url of [baseUrl, documentationUrl, logoUrl]) expect(url).toMatch(/^https:\/\//);
  });
  yield check('META-03', () => {
    for (const { signalType, via } of manifest.triggers) {
      expect(signalTypes).toContain(signalType);
      expect(capabilitiesOf(connector)).toEqual(expect.arrayContaining([...via]));
    }
  });
  yield check('META-04', () => {
    for (const { reason } of manifest.scopes) expect(reason.trim()).not.toBe('');
  });
  yield check('META-05', () => {
    const outputs = actions.map(([, spec]) => spec.outputSchema);
    const target = connector.webhook?.registration?.targetSchema ?? {};
    for (const schema of [manifest.credentialSchema, manifest.settingsSchema, target, ...outputs]) {
      compile(schema);
    }
  });
  yield check('META-06', () => expect(existsSync(join(folderOf(folder), 'README.md'))).toBe(true));
  yield check('META-07', () => {
    for (const [, { title, description, outputSchema }] of actions) {
      expect(title).not.toBe('');
      expect(description).not.toBe('');
      expect(outputSchema).toMatchObject({ type: 'object' });
    }
  });
  yield check('META-08', () => {
    const declared = manifest.scopes.map(({ scope }) => scope);
    for (const [, { requiredScopes }] of actions) {
      expect(declared).toEqual(expect.arrayContaining([...requiredScopes]));
    }
  });
}

/** A verb's part of a connector, whichever verb it is: the suite passes each the input that the subject has for it. */
export interface AnyActionSpec extends Omit<ActionSpec<'createIssue'>, 'execute' | 'reconcile'> {
  execute(context: ActionContext, input: unknown): Promise<ActionOutcome>;
  reconcile?(context: ActionContext, input: unknown): Promise<ActionOutcome | null>;
}

export function specsOf({ actions = {} }: Connector): readonly (readonly [Verb, AnyActionSpec])[] {
  return verbs.flatMap((verb) => {
    const spec: AnyActionSpec | undefined = actions[verb];
    return spec ? [[verb, spec] as const] : [];
  });
}

/** Throws for a schema that is none, and for keywords and formats nobody knows. */
export function compile(schema: JsonSchema) {
  const ajv = new Ajv2020({ strict: true, allErrors: true });
  addFormats.default(ajv);
  return ajv.compile(schema);
}
