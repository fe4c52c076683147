import { type ExecutionResult, execute, parse } from 'graphql';
import { expect, it } from 'vitest';
import type { Scope } from '../../src/core/caller.js';
import type { GraphQLContext } from '../context.js';
import { buildSchema } from '../schema.js';

const { schema } = buildSchema();
const content = {
  resource: { repository: 'acme/x', pr_id: '7' },
  payload: { title: 'A change' },
  evidence: [{ type: 'pull_request', url: 'https://github.com/acme/x/pull/7' }],
  correlation_hints: [{ type: 'resource_id', value: 'acme/x#7', confidence: 1 }],
};
const signal = { id: 's', sequence: '5', tenantId: 'acme', kind: 'event', content };

const document = parse(`subscription {
  signalReceived {
    id kind cursor payload tenant { id }
    resource { repository prId } evidence { url title } correlationHints { type value }
  }
}`);

function tell(scope: Scope, event: object = signal): ExecutionResult | Promise<ExecutionResult> {
  const caller = { tenantId: 'acme', subject: 'ada', scopes: new Set([scope]), correlationId: 'c' };
  const contextValue = { caller } as unknown as GraphQLContext;
  return execute({ schema, document, contextValue, rootValue: event });
}

it('a signal is told at once, without a promise', () => {
  expect(tell('integrations:read')).toEqual({
    data: {
      signalReceived: {
        id: 's',
        kind: 'EVENT',
        cursor: Buffer.from('signals:5').toString('base64url'),
        payload: content.payload,
        tenant: { id: 'acme' },
        resource: { repository: 'acme/x', prId: '7' },
        evidence: [{ url: 'https://github.com/acme/x/pull/7', title: null }],
        correlationHints: [{ type: 'RESOURCE_ID', value: 'acme/x#7' }],
      },
    },
  });
});

it('a signal that happened nowhere in particular has no resource', () => {
  expect(tell('integrations:read', { ...signal, content: { ...content, resource: {} } })).toMatchObject({
    data: { signalReceived: { resource: null } },
  });
});

it('each signal is told only to who may still read signals', async () => {
  const { data, errors } = await tell('integrations:execute');
  expect(data).toBeNull();
  expect(errors?.[0]?.originalError).toMatchObject({ code: 'FORBIDDEN' });
  expect((await tell('integrations:admin')).errors).toBeUndefined();
});
