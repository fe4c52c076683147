import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { type JsonObject, type JsonSchema, isObject } from '../../src/connector/index.js';

/**
 * How strictly a value is held to a schema. A request must be whole. An answer of a fake may be thinner than the
 * provider's, since a connector reads a part of it; what it has must be right. `isClosed`: a field that the schema does not
 * name is a mistake.
 */
export interface Strictness {
  readonly isWhole: boolean;
  readonly isClosed: boolean;
}

const isArray = (value: unknown): value is readonly unknown[] => Array.isArray(value);

const LISTS = ['allOf', 'anyOf', 'oneOf'] as const;
const NOT_SCHEMA = new Set([
  'example',
  'examples',
  'discriminator',
  'xml',
  'externalDocs',
  'deprecated',
  'readOnly',
  'default',
]);

/**
 * Compiles schemas of an OpenAPI document (3.0, 3.1 or Swagger 2) to checks, with just the parts they refer to. What the
 * three write differently, or wrongly, is read as it is meant: `nullable`, `type: null`, and `oneOf` whose branches
 * overlap.
 */
export function createCompiler(
  document: JsonObject,
): (schema: JsonSchema, strictness: Strictness) => ValidateFunction {
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: true });
  (addFormats as unknown as (ajv: Ajv2020) => void)(ajv);
  return (schema, strictness) => {
    const cut = createCut(document, strictness);
    const root = cut.convert(schema, false);
    return ajv.compile({
      ...(isObject(root) ? root : {}),
      ...(root === false && { not: {} }),
      $defs: cut.definitions,
    });
  };
}

function createCut(document: JsonObject, { isWhole, isClosed }: Strictness) {
  const definitions: Record<string, unknown> = {};

  /** A branch of a composition leaves unknown fields to the whole. */
  function refer(pointer: string, isBranch: boolean): JsonSchema {
    const name = `${pointer.replace(/\W/g, '_')}${isBranch ? '_branch' : ''}`;
    if (!(name in definitions)) {
      definitions[name] = true; // for schemas that refer to themselves
      definitions[name] = convert(resolve(document, pointer), isBranch);
    }
    return { $ref: `#/$defs/${name}` };
  }

  function convert(schema: unknown, isBranch: boolean): unknown {
    if (!isObject(schema)) return schema === undefined ? true : schema;
    if (typeof schema['$ref'] === 'string') return nullable(schema, refer(schema['$ref'], isBranch));
    const made: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(schema)) {
      if (NOT_SCHEMA.has(key) || key.startsWith('x-') || key === 'nullable') continue;
      if (key === 'required') {
        if (isWhole && isArray(value)) made['required'] = value;
      } else if (key === 'properties') made[key] = mapValues(value, (field) => convert(field, false));
      else if (key === 'items') made[key] = convert(isArray(value) ? { anyOf: value } : value, false);
      else if (key === 'additionalProperties') made[key] = isObject(value) ? convert(value, false) : value;
      else if ((LISTS as readonly string[]).includes(key) && isArray(value)) {
        const target = key === 'oneOf' ? 'anyOf' : key;
        const branches = value.map((one) => convert(one, true));
        if (target in made) made['allOf'] = [...((made['allOf'] as unknown[]) ?? []), { anyOf: branches }];
        else made[target] = branches;
      } else if (key === 'not') made[key] = convert(value, true);
      else if (key === 'type') made[key] = value === null ? 'null' : value;
      else if (key === 'exclusiveMinimum' || key === 'exclusiveMaximum') {
        if (typeof value === 'number') made[key] = value;
      } else made[key] = value;
    }
    if (isClosed && !isBranch && hasFields(schema)) made['unevaluatedProperties'] = false;
    return nullable(schema, made);
  }

  return { definitions, convert };
}

/** Names what it may hold, and says nothing of other fields. */
function hasFields(schema: JsonObject): boolean {
  const isOpen = schema['additionalProperties'] !== undefined || schema['patternProperties'] !== undefined;
  const composed = LISTS.some((key) => isArray(schema[key]));
  return !isOpen && (isObject(schema['properties']) || composed);
}

function nullable(schema: JsonObject, made: JsonSchema): JsonSchema {
  const isNullable = schema['nullable'] === true || schema['x-nullable'] === true;
  return isNullable ? { anyOf: [made, { type: 'null' }] } : made;
}

function mapValues(value: unknown, change: (field: unknown) => unknown): JsonObject {
  return Object.fromEntries(
    Object.entries(isObject(value) ? value : {}).map(([name, field]) => [name, change(field)]),
  );
}

/** What a JSON pointer of the document leads to (RFC 6901). */
export function resolve(document: JsonObject, pointer: string): unknown {
  const path = pointer.replace(/^#\//, '').split('/');
  let found: unknown = document;
  for (const part of path) {
    const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    found = isObject(found) || isArray(found) ? (found as Record<string, unknown>)[name] : undefined;
  }
  if (found === undefined) throw new Error(`the description refers to ${pointer}, and has no such thing`);
  return found;
}
