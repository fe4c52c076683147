import { describe, expect, it } from 'vitest';
import { fromCursor, requirePageSize, toCursor, toPage } from './page.js';

describe('cursors', () => {
  it('carry a position of one list', () => {
    expect(fromCursor('signals', toCursor('signals', '42'), /^\d+$/)).toBe('42');
    expect(toCursor('signals', '42')).toMatch(/^[\w-]+$/);
  });

  it.each([
    '',
    'x',
    '42',
    toCursor('actions', '42'),
    toCursor('signals', '42; drop'),
    toCursor('signals', '4:2'),
    '💥',
  ])('%j is INVALID_CURSOR', (cursor) => {
    expect(() => fromCursor('signals', cursor, /^\d+$/)).toThrow(
      expect.objectContaining({ code: 'INVALID_CURSOR' }),
    );
  });
});

describe('pages', () => {
  it.each([0, -1, 201, 1.5, Number.NaN])('of %d are refused', (first) => {
    expect(() => requirePageSize(first)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
  });

  it('tell whether there is more, in both directions', () => {
    const page = toPage([1, 2, 3], { first: 2, after: 'x' }, String);
    expect(page).toEqual({
      nodes: [1, 2],
      pageInfo: { startCursor: '1', endCursor: '2', hasNextPage: true, hasPreviousPage: true },
    });
    expect(toPage([], { first: 2 }, String).pageInfo).toEqual({
      startCursor: null,
      endCursor: null,
      hasNextPage: false,
      hasPreviousPage: false,
    });
  });
});
