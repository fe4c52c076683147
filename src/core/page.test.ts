import { describe, expect, it } from 'vitest';
import { type List, SEQUENCE, fromCursor, requirePageSize, toCursor, toPage } from './page.js';

const LIST: List<'sequence'> = { name: 'rows', key: 'sequence', shape: SEQUENCE, order: 'asc' };

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
    const [one, two, three] = ['1', '2', '3'].map((sequence) => ({ sequence }));
    const cursor = (place: string) => toCursor('rows', place);
    expect(toPage(LIST, { rows: [one!, two!, three!] }, { first: 2, after: 'x' })).toEqual({
      nodes: [one, two],
      pageInfo: {
        startCursor: cursor('1'),
        endCursor: cursor('2'),
        hasNextPage: true,
        hasPreviousPage: true,
      },
    });
    expect(toPage(LIST, { rows: [three!, two!, one!] }, { first: 5, last: 2 })).toEqual({
      nodes: [two, three],
      pageInfo: {
        startCursor: cursor('2'),
        endCursor: cursor('3'),
        hasNextPage: false,
        hasPreviousPage: true,
      },
    });
    expect(toPage(LIST, { rows: [] }, { first: 2 }).pageInfo).toEqual({
      startCursor: null,
      endCursor: null,
      hasNextPage: false,
      hasPreviousPage: false,
    });
  });

  it('that looked no further than an edge go on from there, even without a node', () => {
    expect(toPage(LIST, { rows: [], edge: '9' }, { first: 2 }).pageInfo).toMatchObject({
      startCursor: null,
      endCursor: toCursor('rows', '9'),
      hasNextPage: true,
    });
    const found = { rows: [{ sequence: '7' }], edge: '4' };
    expect(toPage(LIST, found, { first: 5, last: 2, before: 'x' }).pageInfo).toEqual({
      startCursor: toCursor('rows', '4'),
      endCursor: toCursor('rows', '7'),
      hasNextPage: true,
      hasPreviousPage: true,
    });
  });
});
