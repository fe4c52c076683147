import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import { type JsonObject, type JsonSchema, isObject } from '../../src/connector/index.js';
import type { FakeAnswer, FakeRequest } from '../support/fake-provider.js';
import { type Strictness, createCompiler, resolve } from './schema.js';

/** What a description says of requests and answers; each method answers what is wrong, in words. */
export interface Contract {
  /** `POST /repos/{owner}/{repo}/issues`; undefined where the description knows no such operation. */
  nameOf(request: FakeRequest): string | undefined;
  checkRequest(request: FakeRequest): readonly string[];
  checkAnswer(request: FakeRequest, answer: FakeAnswer): readonly string[];
}

interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path' | 'header' | 'formData' | 'body' | 'cookie';
  readonly required: boolean;
  readonly schema: JsonSchema;
}

interface Operation {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly body: { readonly schema: JsonSchema; readonly required: boolean } | undefined;
  /** By status, `2XX` or `default`; undefined: the description tells nothing of its body. */
  readonly answers: Readonly<Record<string, JsonSchema | undefined>>;
}

const WHOLE: Strictness = { isWhole: true, isClosed: true };

/**
 * OpenAPI 3.0, 3.1 and Swagger 2. `isDated`: the description is older than the API, so that a field it does not know in an
 * answer says nothing.
 */
export function createOpenApiContract(document: JsonObject, isDated: boolean): Contract {
  const compile = createCompiler(document);
  const thin: Strictness = { isWhole: false, isClosed: !isDated };
  const validators = new Map<string, ValidateFunction>();
  const operations = new Map<string, Operation | undefined>();

  function check(key: string, schema: JsonSchema, strictness: Strictness, value: unknown): readonly string[] {
    let validate = validators.get(key);
    if (!validate) validators.set(key, (validate = compile(schema, strictness)));
    return validate(value) ? [] : [...new Set((validate.errors ?? []).map(toWords))].slice(0, 8);
  }

  function find(request: FakeRequest): Operation | undefined {
    const key = `${request.method} ${request.path}`;
    if (!operations.has(key)) operations.set(key, readOperation(document, request));
    return operations.get(key);
  }

  return {
    nameOf: (request) => find(request)?.name,
    checkRequest(request) {
      const operation = find(request);
      if (!operation) return [];
      return [...checkParameters(operation, request, check), ...checkBody(operation, request, check)];
    },
    checkAnswer(request, { status, body }) {
      const operation = find(request);
      if (!operation) return [];
      const { answers, name } = operation;
      const kind = [String(status), `${Math.floor(status / 100)}XX`, 'default'].find((key) => key in answers);
      // Errors that a description leaves out are the provider's general ones.
      if (kind === undefined) return status < 400 ? [`a ${status} is not described`] : [];
      const schema = answers[kind];
      return schema && body !== undefined ? check(`${name} ${kind}`, schema, thin, body) : [];
    },
  };
}

type Check = (key: string, schema: JsonSchema, strictness: Strictness, value: unknown) => readonly string[];

function checkParameters(
  { name, parameters }: Operation,
  { query, headers }: FakeRequest,
  check: Check,
): readonly string[] {
  const known = parameters.filter((parameter) => parameter.in === 'query' || parameter.in === 'formData');
  const unknown = Object.keys(query).filter((key) => !known.some((parameter) => parameter.name === key));
  const missing = parameters.filter(
    (parameter) =>
      parameter.required &&
      ((parameter.in === 'query' && !(parameter.name in query)) ||
        // What proves who we are stands in another header than old descriptions say.
        (parameter.in === 'header' &&
          parameter.name !== 'token' &&
          !(parameter.name.toLowerCase() in headers))),
  );
  const wrong = known.flatMap((parameter) => {
    const value = query[parameter.name];
    if (value === undefined) return [];
    return check(
      `${name} ?${parameter.name}`,
      parameter.schema,
      WHOLE,
      fromText(value, parameter.schema),
    ).map((problem) => `query ${parameter.name} ${problem.trimStart()}`);
  });
  return [
    ...unknown.map((key) => `query ${key} is not described`),
    ...missing.map((parameter) => `${parameter.in} ${parameter.name} is required`),
    ...wrong,
  ];
}

function checkBody(
  { name, body, parameters }: Operation,
  request: FakeRequest,
  check: Check,
): readonly string[] {
  const fields = parameters.filter((parameter) => parameter.in === 'formData');
  if (fields.length > 0) return checkForm(fields, request);
  if (request.text === '') return body?.required ? ['the body is required'] : [];
  if (!body) return ['a body is not described'];
  return check(`${name} body`, body.schema, WHOLE, request.body).map((problem) => `body${problem}`);
}

/** A form's fields, sent as JSON: by name; what is text in the form may be any JSON here. */
function checkForm(fields: readonly Parameter[], { body, query }: FakeRequest): readonly string[] {
  const given = isObject(body) ? body : {};
  const unknown = Object.keys(given).filter((key) => !fields.some(({ name }) => name === key));
  const missing = fields.filter(({ name, required }) => required && !(name in given) && !(name in query));
  return [
    ...unknown.map((key) => `body field ${key} is not described`),
    ...missing.map(({ name }) => `body field ${name} is required`),
  ];
}

function fromText(value: string, schema: JsonSchema): unknown {
  const type = schema['type'];
  if (type === 'integer' || type === 'number') return value === '' ? value : Number(value);
  if (type === 'boolean') return value === 'true' ? true : value === 'false' ? false : value;
  return type === 'array' ? value.split(',') : value;
}

/** Of paths that fit, the one with the fewest placeholders: `/issues/comments` before `/issues/{number}`. */
function readOperation(document: JsonObject, { method, path }: FakeRequest): Operation | undefined {
  const paths = document['paths'] as Readonly<Record<string, JsonObject>>;
  const fitting = Object.keys(paths)
    .filter((template) => fits(template, path) && method.toLowerCase() in paths[template]!)
    .toSorted((one, other) => one.split('{').length - other.split('{').length);
  const [template] = fitting;
  if (template === undefined) return undefined;
  const item = paths[template]!;
  const operation = item[method.toLowerCase()] as JsonObject;
  const listed = [item['parameters'], operation['parameters']].flatMap((list) =>
    Array.isArray(list) ? list : [],
  );
  const parameters = listed.map((one) => toParameter(deref(document, one)));
  return {
    name: `${method} ${template}`,
    parameters,
    body: readBody(document, operation, parameters),
    answers: readAnswers(document, operation),
  };
}

function fits(template: string, path: string): boolean {
  const [parts, actual] = [template.split('/'), path.split('/')];
  if (parts.length !== actual.length) return false;
  return parts.every((part, index) => (part.includes('{') ? actual[index] !== '' : part === actual[index]));
}

/** In Swagger 2 a parameter is its own schema. */
function toParameter({ name, in: place, required, schema, ...rest }: JsonObject): Parameter {
  return {
    name: String(name),
    in: place as Parameter['in'],
    required: required === true,
    schema: isObject(schema) ? schema : rest,
  };
}

function readBody(
  document: JsonObject,
  operation: JsonObject,
  parameters: readonly Parameter[],
): Operation['body'] {
  const inBody = parameters.find((parameter) => parameter.in === 'body');
  if (inBody) return { schema: inBody.schema, required: inBody.required };
  if (!operation['requestBody']) return undefined;
  const body = deref(document, operation['requestBody']);
  return { schema: schemaOf(body) ?? {}, required: body['required'] === true };
}

function readAnswers(document: JsonObject, operation: JsonObject): Operation['answers'] {
  const answers = (operation['responses'] ?? {}) as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(answers).map(([status, one]) => {
      const answer = deref(document, one);
      return [status, isObject(answer['schema']) ? answer['schema'] : schemaOf(answer)];
    }),
  );
}

/** Of the JSON that it may be. */
function schemaOf({ content }: JsonObject): JsonSchema | undefined {
  if (!isObject(content)) return undefined;
  const type = Object.keys(content).find((one) => /[/+]json\b/.test(one));
  const media = type === undefined ? undefined : content[type];
  return isObject(media) && isObject(media['schema']) ? media['schema'] : undefined;
}

function deref(document: JsonObject, value: unknown): JsonObject {
  const found =
    isObject(value) && typeof value['$ref'] === 'string' ? resolve(document, value['$ref']) : value;
  return isObject(found) ? found : {};
}

function toWords({ instancePath, message = 'is wrong', params }: ErrorObject): string {
  const place = instancePath.replaceAll(/\/\d+(?=\/|$)/g, '/*');
  const { unevaluatedProperty, additionalProperty, allowedValues } = params as Readonly<
    Record<string, unknown>
  >;
  const extra = unevaluatedProperty ?? additionalProperty;
  if (typeof extra === 'string') return `${place}/${extra} is not described`;
  return `${place} ${message}${allowedValues ? `: ${JSON.stringify(allowedValues)}` : ''}`;
}
