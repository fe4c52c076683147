import { describe, expect, it } from 'vitest';
import { bounded, createTemplate } from './identity.js';
import { type Part, type Rule, createNormalizer, on, uniqueDrafts } from './normalizer.js';

const receivedAt = new Date('2026-11-21T12:00:00Z');

const thing: Part = {
  required: ['thing.title', 'thing.owner.name'],
  describe: () => ({ payload: { title: 'A thing', gone: undefined } }),
};
const closer: Part = { required: [], describe: () => ({ payload: { title: 'Closed' } }) };

const rules: readonly Rule[] = [
  {
    on: on('thing', 'closed', 'ended'),
    when: (body) => JSON.stringify(body).includes('final'),
    type: 'issue_closed',
    identity: 'thing:{thing.id}:closed',
    at: 'thing.closed_at',
    parts: [thing, closer],
  },
  { on: on('thing', 'closed'), type: 'issue_updated', identity: 'thing:{thing.id}:v', parts: [thing] },
];

const toDraft = createNormalizer({
  rules,
  otherRule: () => ({ on: [], type: 'provider_event', parts: [thing] }),
  versionOf: ({ identity }) => (identity?.endsWith(':v') ? '2' : undefined),
  fallback: () => [{ type: 'record', url: 'https://things.example' }],
});
const draftOf = (type: string, body: unknown, index?: number) =>
  toDraft({ id: 'delivery-1', type, body, receivedAt }, body, index);

const body = { thing: { id: 7, title: 'T', owner: { name: 'Ada' }, closed_at: '2026-01-01T00:00:00Z' } };

describe('a normalizer', () => {
  it('takes the first rule that fits, by name and by what the body says', () => {
    expect(draftOf('thing.closed', { ...body, how: 'final' })).toEqual({
      identity: 'thing:7:closed',
      type: 'issue_closed',
      occurredAt: new Date('2026-01-01T00:00:00Z'),
      resource: {},
      payload: { title: 'Closed' },
      canonicalKeys: {},
      evidence: [{ type: 'record', url: 'https://things.example' }],
      correlationHints: [],
    });
    expect(draftOf('thing.closed', body)).toMatchObject({ type: 'issue_updated', identity: 'thing:7:v:2' });
    expect(draftOf('thing.ended', body).type).toBe('provider_event');
    expect(draftOf('constructor', body).type).toBe('provider_event');
  });

  it('falls back to the delivery where the identity is not whole', () => {
    expect(draftOf('thing.closed', {}).identity).toBe('delivery:delivery-1');
    expect(draftOf('thing.closed', {}, 2).identity).toBe('delivery:delivery-1:2');
  });

  it('tells what is missing: each once, of a whole object its name, and null is an answer', () => {
    expect(draftOf('thing.closed', {}).missing).toEqual(['thing']);
    expect(draftOf('thing.closed', { thing: { id: 7 } }).missing).toEqual(['thing.title', 'thing.owner']);
    expect(draftOf('thing.closed', { thing: { id: 7, title: null, owner: null } }).missing).toBeUndefined();
    expect(draftOf('anything', {}).missing).toBeUndefined();
  });

  it('keeps one of two signals that are the same', () => {
    const [one, other] = [draftOf('thing.closed', body), draftOf('thing.closed', {})];
    expect(uniqueDrafts([one, other, one])).toEqual([one, other]);
  });
});

describe('an identity', () => {
  it('is filled whole or not at all', () => {
    const { paths, fill } = createTemplate('{a.b}:x:{c}');
    expect(paths).toEqual(['a.b', 'c']);
    expect(fill({ a: { b: 1 }, c: '$& {a.b}' })).toBe('1:x:$& {a.b}');
    for (const half of [{ a: { b: 1 } }, { c: 'x' }, {}, null, { a: { b: {} }, c: 'x' }]) {
      expect(fill(half)).toBeUndefined();
    }
    expect(createTemplate('plain').fill(null)).toBe('plain');
  });

  it('of any length has at most 255 units, and stays its own', () => {
    const [one, other] = ['a', 'b'].map((end) => bounded('x'.repeat(400) + end));
    expect(one).toHaveLength(255);
    expect(one).not.toBe(other);
    expect(bounded('short')).toBe('short');
  });
});
