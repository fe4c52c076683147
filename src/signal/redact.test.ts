import { expect, it } from 'vitest';
import { REDACTED, redact } from './redact.js';

it('takes out what the paths lead to, and nothing else', () => {
  const body = {
    commits: [{ author: { name: 'Ada', email: 'ada@example.com' } }, { author: {} }],
    pusher: { email: 'a@b' },
  };
  const paths = [
    ['commits', '*', 'author', 'email'],
    ['pusher', '*'],
    ['nowhere', 'at', 'all'],
  ];
  expect(redact(body, paths)).toEqual({
    commits: [{ author: { name: 'Ada', email: REDACTED } }, { author: {} }],
    pusher: { email: REDACTED },
  });
  expect(body.commits[0]?.author.email).toBe('ada@example.com');
});

it.each([null, 'text', 7, [], {}, { a: null }, { a: [{ b: null }] }, { commits: { '*': 1 } }])(
  'answers %j itself where there is nothing to take out',
  (body) => {
    expect(redact(body, [['a', '*', 'b'], ['commits', 'author'], ['length'], ['toString']])).toBe(body);
    expect(redact(body)).toBe(body);
  },
);

it('is not led astray by names that mean something to JavaScript', () => {
  const body = JSON.parse('{"__proto__": {"email": "ada@example.com"}}') as object;
  expect(JSON.stringify(redact(body, [['__proto__', 'email']]))).toBe(
    `{"__proto__":{"email":"${REDACTED}"}}`,
  );
});
