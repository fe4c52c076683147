import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/connector/index.js';
import type { FakeRequest } from '../support/fake-provider.js';
import { createGraphQLContract } from './graphql.js';
import { type Contract, createOpenApiContract } from './openapi.js';

// A check that can't fail proves nothing: what contracts are to find, in descriptions with the quirks that real ones have.

function request(method: string, address: string, body?: unknown): FakeRequest {
  const { pathname: path, search, searchParams } = new URL(address, 'http://fake');
  const text = body === undefined ? '' : JSON.stringify(body);
  return { method, path, query: Object.fromEntries(searchParams), search, headers: {}, text, body };
}

const json = (schema: object): object => ({ content: { 'application/json': { schema } } });

const openApi: JsonObject = {
  openapi: '3.0.3',
  paths: {
    '/things': {
      parameters: [{ $ref: '#/components/parameters/size' }],
      get: { responses: { 200: json({ type: 'array', items: { $ref: '#/components/schemas/thing' } }) } },
      post: {
        requestBody: {
          required: true,
          ...json({
            type: 'object',
            required: ['name'],
            properties: {
              name: { type: 'string' },
              note: { type: 'string', nullable: true },
              owner: { oneOf: [{ type: 'string' }, { type: 'string', maxLength: 40 }, { type: null }] },
            },
          }),
        },
        responses: { 201: json({ $ref: '#/components/schemas/thing' }), default: json({ type: 'object' }) },
      },
    },
    '/things/{id}': { get: { responses: { 200: json({ $ref: '#/components/schemas/thing' }) } } },
    '/things/mine': { get: { responses: { 204: {} } } },
  },
  components: {
    parameters: { size: { name: 'size', in: 'query', schema: { type: 'integer', maximum: 100 } } },
    schemas: {
      named: { type: 'object', required: ['name', 'url'], properties: { name: { type: 'string' }, url: {} } },
      thing: {
        allOf: [
          { $ref: '#/components/schemas/named' },
          { type: 'object', properties: { parent: { nullable: true, $ref: '#/components/schemas/thing' } } },
        ],
      },
    },
  },
};

describe('an OpenAPI description', () => {
  const contract = createOpenApiContract(openApi, false);
  const post = (body: unknown) => contract.checkRequest(request('POST', '/things', body));
  const answer = (body: unknown) => contract.checkAnswer(request('GET', '/things/7'), { status: 200, body });

  it('knows operations by method and path, the plainest first', () => {
    expect(contract.nameOf(request('GET', '/things/mine'))).toBe('GET /things/mine');
    expect(contract.nameOf(request('GET', '/things/7'))).toBe('GET /things/{id}');
    expect(contract.nameOf(request('DELETE', '/things/7'))).toBeUndefined();
    expect(contract.nameOf(request('GET', '/things/7/parts'))).toBeUndefined();
  });

  it('takes a request that is whole', () => {
    expect(post({ name: 'a', note: null, owner: 'ada' })).toEqual([]);
    expect(post({ name: 'a', owner: null })).toEqual([]);
    expect(contract.checkRequest(request('GET', '/things?size=50'))).toEqual([]);
  });

  it('finds what a request lacks, has too much, and has of another type', () => {
    expect(post({})).toEqual([`body must have required property 'name'`]);
    expect(post({ name: 'a', colour: 'red' })).toEqual(['body/colour is not described']);
    expect(post({ name: 7 })).toEqual(['body/name must be string']);
    expect(post(undefined)).toEqual(['the body is required']);
    expect(contract.checkRequest(request('GET', '/things?size=500'))).toEqual(['query size must be <= 100']);
    expect(contract.checkRequest(request('GET', '/things?order=asc'))).toEqual([
      'query order is not described',
    ]);
  });

  it('lets an answer be thinner, and neither wrong nor inventive', () => {
    expect(answer({ name: 'a', parent: { name: 'b', parent: null } })).toEqual([]);
    expect(answer({ name: 7 })).toEqual(['/name must be string']);
    expect(answer({ parent: { colour: 'red' } })).toContain('/parent/colour is not described');
    const created = request('POST', '/things');
    expect(contract.checkAnswer(created, { status: 200, body: {} })).toEqual([]);
    expect(contract.checkAnswer(request('GET', '/things/mine'), { status: 200 })).toEqual([
      'a 200 is not described',
    ]);
  });

  it('that is dated does not know what is new in an answer, and still what is wrong', () => {
    const dated = createOpenApiContract(openApi, true);
    const check = (body: unknown) => dated.checkAnswer(request('GET', '/things/7'), { status: 200, body });
    expect(check({ name: 'a', colour: 'red' })).toEqual([]);
    expect(check({ name: 7 })).toEqual(['/name must be string']);
  });
});

it('a Swagger 2 description of forms is held against their fields sent as JSON', () => {
  const form = (name: string, more: object = {}): object => ({
    in: 'formData',
    name,
    type: 'string',
    ...more,
  });
  const contract: Contract = createOpenApiContract(
    {
      swagger: '2.0',
      paths: {
        '/chat.post': {
          post: {
            parameters: [form('channel', { required: true }), form('blocks')],
            responses: { 200: { schema: { type: 'object', properties: { ok: { type: 'boolean' } } } } },
          },
        },
      },
    },
    false,
  );
  const post = (body: unknown) => contract.checkRequest(request('POST', '/chat.post', body));
  expect(post({ channel: 'C1', blocks: [{ type: 'divider' }] })).toEqual([]);
  expect(post({ text: 'x' })).toEqual(['body field text is not described', 'body field channel is required']);
  const answered = contract.checkAnswer(request('POST', '/chat.post'), { status: 200, body: { ok: 'yes' } });
  expect(answered).toEqual(['/ok must be boolean']);
});

describe('an SDL', () => {
  const contract = createGraphQLContract(`
    type Query { thing(id: ID!): Thing }
    type Mutation { make(input: MakeInput!): Thing! }
    input MakeInput { name: String! }
    type Thing { id: ID! name: String! size: Int }
  `);
  const query = 'query ($id: ID!) { found: thing(id: $id) { id name size } }';
  const ask = (text: string, variables: object) => request('POST', '/graphql', { query: text, variables });
  const answer = (data: unknown) =>
    contract.checkAnswer(ask(query, { id: '1' }), { status: 200, body: { data } });

  it('finds fields, variables and inputs that it does not know', () => {
    expect(contract.checkRequest(ask(query, { id: '1' }))).toEqual([]);
    expect(contract.checkRequest(ask('{ thing(id: 1) { colour } }', {}))[0]).toContain(
      'Cannot query field "colour"',
    );
    expect(contract.checkRequest(ask(query, {}))[0]).toContain('$id');
    expect(contract.checkRequest(ask(query, { id: '1', more: 1 }))).toEqual([
      'the variable more is not declared',
    ]);
    const make = 'mutation ($input: MakeInput!) { make(input: $input) { id } }';
    expect(contract.checkRequest(ask(make, { input: { name: 'a', colour: 'red' } }))[0]).toContain('colour');
    expect(contract.nameOf(ask(make, {}))).toBe('mutation make');
  });

  it('holds answers against what was asked for', () => {
    expect(answer({ found: { id: '1', name: 'a', size: null } })).toEqual([]);
    expect(answer({ found: { id: '1', name: null, size: 1 } })[0]).toContain('non-nullable');
    expect(answer({ found: { id: '1', name: 'a', size: 'large' } })[0]).toContain('Int');
    expect(answer({ found: { id: '1', name: 'a', size: 1, colour: 'red' } })).toEqual([
      'the answer holds fields that nobody asked for',
    ]);
  });
});
