import * as fc from 'fast-check';
import { expect } from 'vitest';
import { type ProviderEvent, type SignalDraft, signalTypes } from '../../src/connector/index.js';
import { redact } from '../../src/signal/redact.js';
import { type ConformanceTest, check } from './checks.js';
import { type Fixture, RECEIVED_AT, eventOf, loadFixtures } from './fixtures.js';
import type { ConformanceSubject } from './subject.js';

/** Names in a payload that the core fills. */
const RESERVED = ['provider_metadata', 'canonical_keys'];

/** Fails by throwing. */
type Claim = (drafts: readonly SignalDraft[]) => void;

/** From the provider's words to ours. */
export function* normalizeChecks(subject: ConformanceSubject): Iterable<ConformanceTest> {
  const { manifest, normalize } = subject.connector;
  if (!normalize) return;
  const fixtures = loadFixtures(subject.folder);
  const events = fixtures.map((fixture) => eventOf(subject, fixture));
  /** Holds for the fixtures, for what is left of them when fields are lost or spoilt, and for any JSON at all. */
  const always = (claim: Claim): void => {
    for (const event of events) claim(normalize(event));
    const property = fc.property(anyEvent(events), (event) => {
      claim(normalize(event));
    });
    fc.assert(property);
  };

  for (const [index, fixture] of fixtures.entries()) {
    yield check('NORMALIZE-01', () => expectSignals(fixture, normalize(events[index]!)), fixture.name);
  }
  yield check('NORMALIZE-02', () => {
    for (const event of events) expect(normalize(structuredClone(event))).toStrictEqual(normalize(event));
  });
  yield check('NORMALIZE-03', () => {
    for (const event of events) {
      const before = structuredClone(event);
      normalize(deepFreeze(event));
      expect(event).toStrictEqual(before);
    }
  });
  yield check('NORMALIZE-04', () => always((drafts) => expect(drafts).not.toHaveLength(0)));
  yield check('NORMALIZE-05', () => {
    for (const body of [{}, { some: 'thing' }, events[0]?.body]) {
      const unknown = { id: 'delivery-1', type: 'never.heard_of', body, receivedAt: RECEIVED_AT };
      expect(normalize(unknown).map(({ type }) => type)).toEqual(['provider_event']);
    }
  });
  yield check('NORMALIZE-06', () =>
    always((drafts) => {
      for (const { payload } of drafts) for (const name of RESERVED) expect(payload).not.toHaveProperty(name);
    }),
  );
  yield check('NORMALIZE-07', () =>
    always((drafts) => {
      for (const { identity } of drafts) expect(identity.length).toBeGreaterThan(0);
      for (const { identity } of drafts) expect(identity.length).toBeLessThanOrEqual(255);
      const ids = drafts.map(({ identity, type }) => `${type} ${identity}`);
      expect(new Set(ids).size).toBe(ids.length);
    }),
  );
  yield check('NORMALIZE-08', () =>
    always((drafts) => {
      const stored = drafts.map((draft) => ({
        ...draft,
        occurredAt: draft.occurredAt?.toISOString() ?? null,
      }));
      expect(JSON.parse(JSON.stringify(stored))).toStrictEqual(stored);
    }),
  );
  yield check('NORMALIZE-09', () => always((drafts) => drafts.forEach(expectWellFormed)));
  yield check('NORMALIZE-10', () => {
    const declared = [...manifest.triggers.map(({ signalType }) => signalType), 'provider_event'];
    for (const event of events) for (const { type } of normalize(event)) expect(declared).toContain(type);
  });
  yield check('NORMALIZE-11', () => {
    for (const event of events) {
      const again = { ...event, id: 'another-delivery', receivedAt: new Date(RECEIVED_AT.getTime() + 1) };
      expect(knownIdentities(normalize(again))).toEqual(knownIdentities(normalize(event)));
    }
  });
  yield check('NORMALIZE-13', () => {
    const inOrder = signalsOf(normalize, events);
    const property = fc.property(anyOrder(events), (arrived) => {
      expect(signalsOf(normalize, arrived)).toEqual(inOrder);
    });
    fc.assert(property, { numRuns: 20 });
  });
  yield check('NORMALIZE-12', () => {
    for (const event of events) {
      const body = redact(event.body, manifest.redact);
      expect(normalize({ ...event, body })).toStrictEqual(normalize(event));
    }
  });
}

/** What the events come to, whatever order they come in. */
function signalsOf(
  normalize: (event: ProviderEvent) => readonly SignalDraft[],
  arrived: readonly ProviderEvent[],
): readonly string[] {
  return arrived.flatMap((event) => normalize(event).map((draft) => JSON.stringify(draft))).toSorted();
}

/** Without the file this fails with what would have to be in it, to be read and saved by a person. */
function expectSignals({ name, signals }: Fixture, drafts: readonly SignalDraft[]): void {
  const made = JSON.stringify(drafts, null, 2);
  if (!signals)
    throw new Error(`There is no ${name}.signals.json. If this is right, save it as that:\n${made}`);
  expect(JSON.parse(made)).toEqual(signals);
}

/** An event nobody knows, a ping or a test is about no thing of its own: there the delivery's id may stand in. */
function knownIdentities(drafts: readonly SignalDraft[]): readonly string[] {
  return drafts
    .filter(({ type }) => type !== 'provider_event' && type !== 'webhook_ping')
    .map(({ type, identity }) => `${type} ${identity}`);
}

function expectWellFormed(draft: SignalDraft): void {
  expect(signalTypes).toContain(draft.type);
  if (draft.occurredAt) expect(draft.occurredAt.getTime()).not.toBeNaN();
  for (const value of Object.values(draft.resource)) expect(value).toBeTypeOf('string');
  for (const value of Object.values(draft.canonicalKeys)) expect(value).toBeTypeOf('string');
  for (const { type, url } of draft.evidence) expect([typeof type, typeof url]).toEqual(['string', 'string']);
  for (const { value, confidence } of draft.correlationHints) {
    expect(value).toBeTypeOf('string');
    expect(confidence).toBeGreaterThanOrEqual(0);
    expect(confidence).toBeLessThanOrEqual(1);
  }
}

function anyEvent(events: readonly ProviderEvent[]): fc.Arbitrary<ProviderEvent> {
  const known = fc.constantFrom(...events);
  const spoilt = fc
    .tuple(known, fc.infiniteStream(fc.nat()), fc.array(anyJson(), { minLength: 1, maxLength: 5 }))
    .map(([event, choices, values]) => ({ ...event, body: values.reduce(spoil(choices), event.body) }));
  const strange = fc
    .tuple(known, anyJson(), fc.string({ minLength: 1, maxLength: 300 }), fc.boolean())
    .map(([event, body, type, isKnown]) => ({ ...event, body, type: isKnown ? event.type : type }));
  return fc.oneof(spoilt, strange);
}

function anyOrder<T>(all: readonly T[]): fc.Arbitrary<T[]> {
  return fc.shuffledSubarray([...all], { minLength: all.length });
}

/** As it comes from the wire: no -0, no undefined. */
function anyJson(): fc.Arbitrary<unknown> {
  return fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown);
}

/** Puts the value in place of some field, at a depth and place that the choices decide; every third time takes it away. */
function spoil(choices: Iterator<number>): (body: unknown, value: unknown) => unknown {
  const choose = (bound: number): number => Number(choices.next().value) % bound;
  return function replace(body, value): unknown {
    if (typeof body !== 'object' || body === null || choose(4) === 0) return value;
    const keys = Object.keys(body);
    if (keys.length === 0) return value;
    const key = keys[choose(keys.length)]!;
    const copy = structuredClone(body) as Record<string, unknown>;
    if (choose(3) === 0) delete copy[key];
    else copy[key] = replace(copy[key], value);
    return copy;
  };
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  for (const field of Object.values(value)) deepFreeze(field);
  return Object.freeze(value);
}
