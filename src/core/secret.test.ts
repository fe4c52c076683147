import { format, inspect } from 'node:util';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { Secret } from './secret.js';

const PLAIN = 'ghp_plain_text';
const secret = new Secret(PLAIN);

function logged(value: unknown): string {
  const lines: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line) => void lines.push(line) });
  log.info({ value, nested: { value } }, `with ${String(value)}`);
  log.error({ err: Object.assign(new Error('failed'), { value }) });
  return lines.join('');
}

it('gives its text to reveal() and to nothing else', () => {
  expect(secret.reveal()).toBe(PLAIN);
});

// What people do to values without thinking. Each would have leaked an ordinary string.
it.each<[string, (value: Secret) => string]>([
  ['String()', String],
  // oxlint-disable-next-line typescript/restrict-template-expressions -- the very mistake
  ['a template', (value) => `${value}`],
  ['concatenation', (value) => 'a '.concat(value as unknown as string)],
  ['join', (value) => [value].join(', ')],
  ['JSON.stringify', (value) => JSON.stringify({ value, list: [value] })],
  ['inspect', (value) => inspect({ value }, { depth: null, showHidden: true })],
  [
    'inspect without custom inspection',
    (value) => inspect(value, { customInspect: false, showHidden: true }),
  ],
  ['format', (value) => format('%s %o %O %j', value, value, value, value)],
  ['Object.entries', (value) => JSON.stringify([Object.entries(value), Object.getOwnPropertyNames(value)])],
  ['a copy', (value) => inspect(Object.assign({}, value), { showHidden: true })],
  ['structuredClone', (value) => inspect(structuredClone(value), { showHidden: true })],
  ['an error’s message', (value) => String(new Error(String(value)))],
  ['a log line', logged],
])('stays secret in %s', (_, leak) => {
  expect(leak(secret)).not.toContain(PLAIN);
});

it('says that something was there', () => {
  expect(String(secret)).toBe('[secret]');
  expect(JSON.stringify({ secret })).toBe('{"secret":"[secret]"}');
});
