import {
  type CorrelationHint,
  type EvidenceLink,
  type JsonObject,
  type MappingProblem,
  type SignalDraft,
  bounded,
  clean,
  isObject,
  signalKinds,
  signalTypes,
  timeAt,
} from '../../src/connector/index.js';

/** A signal, or everything that keeps it from being one. */
export type ReadDraft = { readonly draft: SignalDraft } | { readonly problems: readonly MappingProblem[] };

const RESOURCE = ['repository', 'branch', 'pr_id', 'commit', 'service', 'environment'] as const;
const HINTS = ['resource_id', 'temporal', 'metadata'] as const;
/** Filled by the core. */
const TAKEN = ['provider_metadata', 'canonical_keys'];

/** Reads one object that a mapping made. `at` is its place in what the mapping made. */
export function readDraft(made: unknown, at: string): ReadDraft {
  if (!isObject(made))
    return { problems: [{ path: at, problem: 'must be an object, or a list of objects' }] };
  const reader = createReader(made, at);
  const draft: SignalDraft = {
    identity: bounded(reader.text('id') ?? ''),
    type: reader.oneOf('type', signalTypes) ?? 'provider_event',
    kind: reader.optional('kind', () => reader.oneOf('kind', signalKinds)) ?? 'event',
    occurredAt: reader.optional('occurredAt', () => reader.time('occurredAt')),
    resource: reader.texts('resource', RESOURCE),
    payload: reader.payload('payload'),
    canonicalKeys: reader.texts('canonicalKeys'),
    evidence: reader.list('evidence', toEvidence),
    correlationHints: reader.list('correlationHints', toHint),
  };
  reader.refuseOthers();
  return reader.problems.length > 0 ? { problems: reader.problems } : { draft };
}

/** Reads field by field, and notes what is wrong instead of throwing: an admin wants to know it all at once. */
function createReader(made: JsonObject, at: string) {
  const problems: MappingProblem[] = [];
  const known = new Set<string>();
  const note = (field: string, problem: string): undefined =>
    void problems.push({ path: at === '' ? field : `${at}.${field}`, problem });
  const given = (field: string): unknown => {
    known.add(field);
    return made[field] ?? undefined;
  };

  function texts(field: string, allowed?: readonly string[]): Readonly<Record<string, string>> {
    const value = given(field) ?? {};
    if (!isObject(value)) return note(field, 'must be an object') ?? {};
    const entries = Object.entries(value).filter(([, found]) => found !== null);
    for (const [name, found] of entries) {
      if (allowed && !allowed.includes(name))
        note(`${field}.${name}`, `is not known: there is ${allowed.join(', ')}`);
      else if (!isText(found)) note(`${field}.${name}`, 'must be text');
    }
    return Object.fromEntries(
      entries.filter(([, found]) => isText(found)).map(([name, found]) => [name, clean(String(found))]),
    );
  }

  return {
    problems,
    texts,
    optional: <T>(field: string, read: () => T): T | undefined =>
      given(field) === undefined ? undefined : read(),
    text(field: string): string | undefined {
      const value = given(field);
      return isText(value) && value !== ''
        ? clean(String(value))
        : note(field, 'must be text, and not empty');
    },
    oneOf<T extends string>(field: string, allowed: readonly T[]): T | undefined {
      const value = given(field);
      return allowed.find((one) => one === value) ?? note(field, `must be one of ${allowed.join(', ')}`);
    },
    time(field: string): Date | undefined {
      return (
        timeAt(made, field) ??
        note(field, 'must be RFC 3339 text, or seconds since 1970; $fromMillis reads milliseconds')
      );
    },
    payload(field: string): JsonObject {
      const value = given(field) ?? {};
      if (!isObject(value)) return note(field, 'must be an object') ?? {};
      for (const name of TAKEN) if (name in value) note(`${field}.${name}`, 'is filled by Tributary');
      return value;
    },
    list<T>(field: string, read: (found: unknown) => T | undefined): readonly T[] {
      const value = given(field) ?? [];
      return [value].flat().flatMap((found, index) => {
        const one = read(found);
        return one ?? note(`${field}[${index}]`, 'is not what docs/generic.md says it must be') ?? [];
      });
    },
    refuseOthers(): void {
      for (const field of Object.keys(made)) if (!known.has(field)) note(field, 'is not known');
    },
  };
}

function isText(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

function toEvidence(found: unknown): EvidenceLink | undefined {
  if (!isObject(found)) return undefined;
  const { type, url, title } = found;
  // Only web addresses: a console will make it clickable.
  if (!isText(type) || typeof url !== 'string' || !/^https?:\/\/[^\s\0]+$/i.test(url)) return undefined;
  return {
    type: clean(String(type)),
    url: clean(url),
    ...(isText(title) && { title: clean(String(title)) }),
  };
}

function toHint(found: unknown): CorrelationHint | undefined {
  if (!isObject(found)) return undefined;
  const type = HINTS.find((one) => one === found['type']);
  const { value, confidence = 1 } = found;
  if (!type || !isText(value) || typeof confidence !== 'number' || !(confidence >= 0 && confidence <= 1)) {
    return undefined;
  }
  return { type, value: clean(String(value)), confidence };
}
