import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { at, compact, isObject, listAt, textAt, timeAt } from './json.js';

const body = {
  pull_request: { head: { ref: 'topic' }, number: 7, draft: false, empty: '', none: null },
  commits: [{ id: 'a1' }, { id: 'b2' }],
  at: { text: '2026-01-02T03:04:05Z', epoch: 1_767_323_045, zero: 0 },
};

describe('at', () => {
  it('reads fields and elements', () => {
    expect(at(body, 'pull_request', 'head', 'ref')).toBe('topic');
    expect(at(body, 'commits', 1, 'id')).toBe('b2');
    expect(at(body)).toBe(body);
  });

  it('is undefined wherever the path breaks off', () => {
    expect(at(body, 'pull_request', 'none', 'deeper')).toBeUndefined();
    expect(at(body, 'commits', 2, 'id')).toBeUndefined();
    expect(at('text', 'length')).toBeUndefined();
    expect(at(null, 'x')).toBeUndefined();
  });

  it('reads what was sent and not what every object inherits', () => {
    expect(at({}, 'constructor')).toBeUndefined();
    expect(at({}, '__proto__')).toBeUndefined();
    expect(at(JSON.parse('{"__proto__": {"x": 1}}'), '__proto__', 'x')).toBe(1);
  });
});

describe('textAt', () => {
  it('gives text and numbers as text', () => {
    expect(textAt(body, 'pull_request', 'head', 'ref')).toBe('topic');
    expect(textAt(body, 'pull_request', 'number')).toBe('7');
    expect(textAt(body, 'at', 'zero')).toBe('0');
  });

  it.each(['empty', 'none', 'draft', 'head', 'absent'])('takes %s for absent', (name) => {
    expect(textAt(body, 'pull_request', name)).toBeUndefined();
  });
});

describe('listAt', () => {
  it('gives a list, and the empty one for anything else', () => {
    expect(listAt(body, 'commits')).toHaveLength(2);
    expect(listAt(body, 'pull_request')).toEqual([]);
    expect(listAt(undefined, 'commits')).toEqual([]);
  });
});

describe('timeAt', () => {
  it('reads RFC 3339 and epoch seconds as the same moment', () => {
    const moment = new Date('2026-01-02T03:04:05Z');
    expect(timeAt(body, 'at', 'text')).toEqual(moment);
    expect(timeAt(body, 'at', 'epoch')).toEqual(moment);
    expect(timeAt(body, 'at', 'zero')).toEqual(new Date(0));
    expect(timeAt({ last: 253_402_300_799 }, 'last')).toEqual(new Date('9999-12-31T23:59:59Z'));
    expect(timeAt({ first: '0001-01-01T00:00:00Z' }, 'first')).toEqual(new Date('0001-01-01T00:00:00Z'));
  });

  it.each([
    'yesterday',
    '',
    true,
    null,
    {},
    1e300,
    Number.NaN,
    1_795_286_400_000, // milliseconds
    253_402_300_800, // the year 10000
    -62_135_596_801, // a second before the year 1
    '+010000-01-01T00:00:00Z',
    '0000-12-31T23:59:59Z',
  ])('takes %j for absent', (value) => {
    expect(timeAt({ value }, 'value')).toBeUndefined();
  });
});

describe('isObject', () => {
  it.each([[], null, undefined, 'text', 7])('is false for %j', (value) => {
    expect(isObject(value)).toBe(false);
  });

  it('is true for an object', () => {
    expect(isObject({})).toBe(true);
  });
});

describe('compact', () => {
  it('drops undefined and keeps all that is a value, without touching the original', () => {
    const fields = Object.freeze({ a: undefined, b: null, c: '', d: 0, e: false });
    expect(Object.entries(compact(fields))).toEqual(Object.entries({ b: null, c: '', d: 0, e: false }));
  });
});

it('no reader throws, whatever it reads', () => {
  const path = fc.array(
    fc.oneof(fc.string(), fc.nat(), fc.constantFrom('__proto__', 'constructor', 'length')),
  );
  const property = fc.property(fc.anything(), path, (value, keys) => {
    for (const read of [at, textAt, listAt, timeAt]) read(value, ...keys);
  });
  expect(() => fc.assert(property)).not.toThrow();
});
