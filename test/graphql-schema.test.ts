import { readFileSync, readdirSync } from 'node:fs';
import composition from '@apollo/composition';
import {
  composeSchemaContract,
  composeServices,
  transformSupergraphToPublicSchema,
} from '@theguild/federation-composition';
import {
  type GraphQLError,
  type GraphQLField,
  type GraphQLInputObjectType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  Kind,
  buildASTSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isRequiredInputField,
  parse,
  validate,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { buildSchema } from '../resolvers/schema.js';
import { verbSchemas } from '../src/connector/index.js';

const { schema, sdl } = buildSchema();

/** Federation's own, and GraphQL's. */
function isOurs({ name }: GraphQLNamedType): boolean {
  return !/^_|__/.test(name);
}

function* described(target: GraphQLSchema): Iterable<[string, string | null | undefined]> {
  for (const type of Object.values(target.getTypeMap()).filter(isOurs)) {
    if (!['Query', 'Mutation', 'Subscription'].includes(type.name)) yield [type.name, type.description];
    if (isEnumType(type))
      for (const value of type.getValues()) yield [`${type.name}.${value.name}`, value.description];
    if (isInputObjectType(type)) {
      for (const field of Object.values(type.getFields()))
        yield [`${type.name}.${field.name}`, field.description];
    }
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    for (const field of Object.values(type.getFields()).filter(({ name }) => !name.startsWith('_'))) {
      yield [`${type.name}.${field.name}`, field.description];
      for (const arg of field.args) yield [`${type.name}.${field.name}(${arg.name})`, arg.description];
    }
  }
}

describe('the published schema', () => {
  it('is the one the resolvers make', () => {
    expect(readFileSync('schema/tributary.graphql', 'utf8')).toBe(sdl);
  });

  it('describes every type, field, argument and value', () => {
    const missing = [...described(schema)].filter(([, description]) => !description).map(([name]) => name);
    expect(missing).toEqual([]);
  });

  it('composes with a subgraph that extends its entities', () => {
    const subgraphs = [
      { name: 'tributary', url: 'http://tributary', typeDefs: parse(sdl) },
      {
        name: 'services',
        url: 'http://services',
        typeDefs: parse(readFileSync('schema/services.graphql', 'utf8')),
      },
    ];
    expect(composition.composeServices(subgraphs).errors ?? []).toEqual([]);
  });

  it('composes in the eyes of another maker too, and its contract for partners can be cut', () => {
    const services = [
      { name: 'tributary', url: 'http://tributary', typeDefs: parse(sdl) },
      {
        name: 'services',
        url: 'http://services',
        typeDefs: parse(readFileSync('schema/services.graphql', 'utf8')),
      },
    ];
    expect(composeServices(services).errors ?? []).toEqual([]);
    const filter = { include: new Set(['public']), exclude: new Set<string>() };
    const contract = composeSchemaContract(services.slice(0, 1), filter, true);
    expect(contract.errors ?? []).toEqual([]);
    const partners = buildASTSchema(transformSupergraphToPublicSchema(parse(contract.supergraphSdl ?? '')));
    expect(Object.keys(partners.getMutationType()?.getFields() ?? {})).toEqual(['executeAction']);
    const reads = Object.keys(partners.getQueryType()?.getFields() ?? {});
    expect(reads).toEqual(expect.arrayContaining(['signals', 'connections', 'actions', 'providers']));
    for (const hidden of ['receipts', 'deadLetters', 'oauthApps']) expect(reads).not.toContain(hidden);
    const action = partners.getType('IntegrationAction') as GraphQLObjectType;
    expect(Object.keys(action.getFields())).toContain('status');
    expect(Object.keys(action.getFields())).not.toContain('receipt');
    expect(partners.getType('ConnectInput')).toBeUndefined();
  });

  it('tells routers what every page and every mutation costs', () => {
    const costly = (field: { astNode?: GraphQLField<unknown, unknown>['astNode'] }) =>
      field.astNode?.directives?.some(({ name }) => name.value === 'cost');
    for (const type of Object.values(schema.getTypeMap()).filter(isOurs)) {
      if (!isObjectType(type)) continue;
      const fields = Object.values(type.getFields());
      const dear = fields.filter(
        (field) => type.name === 'Mutation' || field.args.some(({ name }) => name === 'first'),
      );
      expect(dear.filter((field) => !costly(field)).map(({ name }) => name)).toEqual([]);
    }
  });

  it('names a scope for every root field', () => {
    const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
    for (const root of roots) {
      for (const [name, field] of Object.entries(root?.getFields() ?? {})) {
        if (name.startsWith('_')) continue;
        const directives = field.astNode?.directives?.map((directive) => directive.name.value);
        expect(directives, `${root?.name}.${name}`).toEqual(
          expect.arrayContaining(['authenticated', 'requiresScopes']),
        );
      }
    }
  });

  it.each(Object.entries(verbSchemas))('takes for %s what its JSON Schema takes', (verb, json) => {
    const action = schema.getType('ActionInput') as GraphQLInputObjectType;
    const input = action.getFields()[verb]?.type as GraphQLInputObjectType;
    const fields = Object.values(input.getFields());
    expect(fields.map(({ name }) => name).toSorted()).toEqual(Object.keys(json.properties).toSorted());
    expect(
      fields
        .filter(isRequiredInputField)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual([...json.required].toSorted());
  });

  it('offers every canonical verb', () => {
    const action = schema.getType('ActionInput') as GraphQLInputObjectType;
    expect(Object.keys(action.getFields()).toSorted()).toEqual(Object.keys(verbSchemas).toSorted());
  });
});

describe('the operations', () => {
  it('are at least one for each field that an operation can begin with', () => {
    const examples = readdirSync('schema/operations').map((file) =>
      readFileSync(`schema/operations/${file}`, 'utf8'),
    );
    const named = examples.flatMap((text) =>
      parse(text).definitions.flatMap((node) =>
        node.kind === Kind.OPERATION_DEFINITION
          ? node.selectionSet.selections.map((field) => (field.kind === Kind.FIELD ? field.name.value : ''))
          : [],
      ),
    );
    const used = new Set(named);
    const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
    const offered = roots.flatMap((root) => Object.keys(root?.getFields() ?? {}));
    expect(offered.filter((name) => !name.startsWith('_') && !used.has(name))).toEqual([]);
  });

  it.each(readdirSync('schema/operations'))('%s is valid, and begins with what it is for', (file) => {
    const text = readFileSync(`schema/operations/${file}`, 'utf8');
    expect(validate(schema, parse(text)).map((error: GraphQLError) => error.message)).toEqual([]);
    expect(text).toMatch(/^# [A-Z].*\.\n/);
  });
});
