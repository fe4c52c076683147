import { auditServer } from 'graphql-http';
import { expect, it } from 'vitest';
import { useTestApp } from './support/app.js';

/**
 * Where Apollo Server, as it comes, does not do what the specification recommends or allows. It answers 400 where that
 * should be 200 with errors, to who accepts only application/json (572B, 7B9B, FDE2); and its prevention of CSRF refuses
 * GET requests without a header of their own (5A70, 6A70, D6D5).
 */
const APOLLOS_OWN = ['572B', '5A70', '6A70', '7B9B', 'D6D5', 'FDE2'];

it('speaks GraphQL over HTTP as its specification says, but for what Apollo Server has of its own', async () => {
  const app = await useTestApp();
  const { token } = await app.caller();
  const results = await auditServer({
    url: `${app.url}/graphql`,
    fetchFn: async (input: string, init: RequestInit = {}) => {
      const headers = { ...(init.headers as Record<string, string>), authorization: `Bearer ${token}` };
      return fetch(input, { ...init, headers });
    },
  });
  expect(results).toHaveLength(61);
  const notes = results.filter(({ status }) => status !== 'ok');
  expect(notes.filter(({ status }) => status === 'error')).toEqual([]);
  expect(notes.map(({ id }) => id).toSorted()).toEqual(APOLLOS_OWN);
});
