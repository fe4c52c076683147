import { expect, it } from 'vitest';
import { answeredAt, invalid, isProviderFailure, unexpectedAnswerOf } from './answer.js';

it('says of a success what it lacks', () => {
  const failure = unexpectedAnswerOf('Acme')({ status: 201 }, 'an id', { isAmbiguous: true });
  expect(failure.details).toEqual({
    category: 'PROVIDER',
    code: 'unexpected_answer',
    message: 'Acme answered 201 without an id.',
    providerStatus: 201,
    isAmbiguous: true,
  });
});

it('tells failures apart by all that is asked of them, and takes nothing else for one', () => {
  const failure = invalid('no_text', 'Say something.');
  expect(isProviderFailure(failure, { category: 'INVALID', code: 'no_text' })).toBe(true);
  expect(isProviderFailure(failure, { category: 'INVALID', code: 'other' })).toBe(false);
  expect(isProviderFailure(failure, { providerStatus: 404 })).toBe(false);
  expect(isProviderFailure({ details: failure.details }, { code: 'no_text' })).toBe(false);
});

it('reads the provider’s clock, where it shows one', () => {
  const headers = { date: 'Sun, 22 Nov 2026 01:00:00 GMT' };
  expect(answeredAt({ headers })).toEqual(new Date('2026-11-22T01:00:00Z'));
  expect(answeredAt({ headers: {} })).toBeUndefined();
  expect(answeredAt({ headers: { date: 'today' } })).toBeUndefined();
});
