import { describe, expect, it } from 'vitest';
import { type FailureVocabulary, ProviderFailure } from '../connector/index.js';
import { type HttpErrorKind, HttpError } from './client.js';
import { failureOfError, failureOfResponse, isFailure } from './failure.js';

const NOW = new Date('2026-11-21T12:00:00Z');
const later = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000);

const vocabulary: FailureVocabulary = {
  message: ['error', 'message'],
  rules: [
    { status: [403], headers: { remaining: '0' }, category: 'RATE_LIMIT', code: 'used_up', waitSeconds: 90 },
    { status: [403], bodyContains: 'Slow Down', category: 'RATE_LIMIT', code: 'slow_down', waitSeconds: 60 },
    {
      status: [429],
      bodyContains: 'burst',
      category: 'RATE_LIMIT',
      code: 'burst',
      waitSeconds: 60,
      ignoresResets: true,
    },
    { status: [400, 403], bodyContains: 'budget', category: 'BUDGET', code: 'no_budget' },
  ],
  resets: [
    { header: 'left', unit: 'seconds' },
    { header: 'reset', unit: 'epoch_seconds' },
    { header: 'reset-ms', unit: 'epoch_milliseconds' },
    { header: 'reset-at', unit: 'rfc3339' },
    { header: 'reset-date', unit: 'http_date' },
    { header: 'reset-in', unit: 'duration' },
    { header: 'retry-after-ms', unit: 'milliseconds' },
    { header: 'reset-theirs', unit: 'epoch_seconds', byDateHeader: true },
  ],
};

function detailsOf(status: number, headers: Record<string, string> = {}, text = '') {
  return failureOfResponse({ status, headers, text }, vocabulary, NOW).details;
}

describe('retryAt of a 429', () => {
  const epoch = NOW.getTime() / 1000;
  it.each<[string, Record<string, string>, Date | undefined]>([
    ['Retry-After in seconds', { 'retry-after': '30' }, later(30)],
    ['Retry-After of none', { 'retry-after': '0' }, later(0)],
    ['Retry-After as an HTTP date', { 'retry-after': 'Sat, 21 Nov 2026 12:00:45 GMT' }, later(45)],
    ['seconds left', { left: '15' }, later(15)],
    ['a fraction of seconds left', { left: '0.5' }, later(0.5)],
    ['epoch seconds', { reset: String(epoch + 20) }, later(20)],
    ['epoch milliseconds', { 'reset-ms': String(NOW.getTime() + 20_000) }, later(20)],
    ['RFC 3339', { 'reset-at': '2026-11-21T13:00:40+01:00' }, later(40)],
    ['milliseconds left', { 'retry-after-ms': '1500' }, later(1.5)],
    ['an HTTP date', { 'reset-date': 'Sat, 21 Nov 2026 12:00:45 GMT' }, later(45)],
    ['a duration', { 'reset-in': '6m0s' }, later(360)],
    ['a duration of less than a second', { 'reset-in': '20ms' }, later(0.02)],
    ['a duration of every part', { 'reset-in': '1h2m3.5s4ms' }, later(3_723.504)],
    ['no duration', { 'reset-in': '6m0' }, undefined],
    [
      'a time by the provider’s clock',
      { 'reset-theirs': String(epoch + 3_610), date: 'Sat, 21 Nov 2026 13:00:00 GMT' },
      later(10),
    ],
    ['a time by the provider’s clock, untold', { 'reset-theirs': String(epoch + 10) }, later(10)],
    ['the longest of all', { 'retry-after': '10', left: '5', reset: String(epoch + 50) }, later(50)],
    ['the longest, which is Retry-After', { 'retry-after': '70', reset: String(epoch + 50) }, later(70)],
    [
      'what can be read beside what can’t',
      { 'retry-after': 'soon', left: 'x', reset: String(epoch + 9) },
      later(9),
    ],
    [
      'nothing that can be read',
      { 'retry-after': 'soon', left: '', reset: 'x', 'reset-at': 'noon' },
      undefined,
    ],
    ['nothing at all', {}, undefined],
  ])('is told by %s', (_, headers, expected) => {
    expect(detailsOf(429, headers)).toMatchObject({ category: 'RATE_LIMIT', code: 'http_429' });
    expect(detailsOf(429, headers).retryAt).toEqual(expected);
  });
});

describe('retryAt of other failures', () => {
  it('is told by Retry-After', () => {
    expect(detailsOf(503, { 'retry-after': '30' }).retryAt).toEqual(later(30));
  });

  it('is not told by limits that are not used up', () => {
    expect(detailsOf(422, { left: '3000' }).retryAt).toBeUndefined();
    expect(detailsOf(500, { left: '3000' }).retryAt).toBeUndefined();
  });
});

describe('rules', () => {
  it('the first that fits decides', () => {
    expect(detailsOf(403, { remaining: '0' }, 'slow down')).toMatchObject({ code: 'used_up' });
    expect(detailsOf(403, { remaining: '1' }, 'please SLOW DOWN now')).toMatchObject({ code: 'slow_down' });
    expect(detailsOf(400, {}, 'your budget is gone')).toMatchObject({
      category: 'BUDGET',
      code: 'no_budget',
    });
  });

  it('none fits: the status decides', () => {
    expect(detailsOf(403, { remaining: '1' })).toMatchObject({ category: 'AUTH', code: 'http_403' });
    expect(detailsOf(404, { remaining: '0' })).toMatchObject({ category: 'NOT_FOUND' });
  });

  it('waits as long as the rule says only where no header says more', () => {
    expect(detailsOf(403, { remaining: '0' }).retryAt).toEqual(later(90));
    expect(detailsOf(403, { remaining: '0', 'retry-after': '5' }).retryAt).toEqual(later(5));
  });
});

describe('a rule that ignores resets', () => {
  it('knows Retry-After and its own wait only', () => {
    expect(detailsOf(429, { left: '3000' }, 'burst').retryAt).toEqual(later(60));
    expect(detailsOf(429, { left: '3000', 'retry-after': '5' }, 'burst').retryAt).toEqual(later(5));
    expect(detailsOf(429, { left: '3000' }).retryAt).toEqual(later(3000));
  });
});

describe('a 2xx', () => {
  const slack: FailureVocabulary = {
    ...vocabulary,
    rules: [
      { status: [200], bodyContains: '"ok":false', category: 'RATE_LIMIT', code: 'ratelimited' },
      { status: [429], category: 'RATE_LIMIT', code: 'ratelimited' },
    ],
  };

  it.each([
    [200, '{"ok":false}', true],
    [200, '{"ok":true}', false],
    [201, '{"ok":false}', false],
    [302, '', true],
  ])('of %i with %s is a failure: %s', (status, text, expected) => {
    expect(isFailure({ status, headers: {}, text }, slack)).toBe(expected);
  });

  it('is told by what stands in one place, and not by texts that look alike', () => {
    const rules = [
      { status: [200], bodyHas: { path: ['error'], value: 'gone' }, category: 'AUTH', code: 'gone' },
      { status: [200], bodyHas: { path: ['ok'], value: false }, category: 'INVALID', code: 'no' },
    ] as const;
    const codeOf = (text: string) => {
      const answer = { status: 200, headers: {}, text };
      if (!isFailure(answer, { rules, resets: [] })) return undefined;
      return failureOfResponse(answer, { rules, resets: [] }, NOW).details.code;
    };
    expect(codeOf('{"ok": false, "error": "gone"}')).toBe('gone');
    expect(codeOf('{"ok":false,"error":"other"}')).toBe('no');
    expect(codeOf('{"ok":true,"texts":[{"ok":false,"error":"gone"}]}')).toBeUndefined();
    for (const text of ['', '<html>', 'null', '[]']) expect(codeOf(text)).toBeUndefined();
  });

  it('may be ambiguous, or refuse the credential, where its rule says so', () => {
    const shared = { status: [200], category: 'PROVIDER', code: 'x' } as const;
    const detailsBy = (more: object) =>
      failureOfResponse(
        { status: 200, headers: {}, text: '' },
        { rules: [{ ...shared, ...more }], resets: [] },
        NOW,
      ).details;
    expect(detailsBy({})).not.toHaveProperty('isCredentialRefused');
    expect(detailsBy({ isCredentialRefused: true })).toMatchObject({ isCredentialRefused: true });
    expect(detailsBy({ isAmbiguous: true })).toMatchObject({ isAmbiguous: true });
  });

  it('in disguise is what its rule says, and had no effect', () => {
    const answer = { status: 200, headers: { 'retry-after': '3' }, text: '{"ok":false}' };
    expect(failureOfResponse(answer, slack, NOW).details).toMatchObject({
      category: 'RATE_LIMIT',
      retryAt: later(3),
      isAmbiguous: false,
    });
  });
});

describe('category and ambiguity by status', () => {
  it.each([
    [301, 'UNKNOWN', false],
    [400, 'INVALID', false],
    [401, 'AUTH', false],
    [403, 'AUTH', false],
    [404, 'NOT_FOUND', false],
    [408, 'PROVIDER', false],
    [409, 'INVALID', false],
    [410, 'NOT_FOUND', false],
    [422, 'INVALID', false],
    [425, 'PROVIDER', false],
    [429, 'RATE_LIMIT', false],
    [500, 'PROVIDER', true],
    [502, 'PROVIDER', true],
    [503, 'PROVIDER', true],
    [504, 'PROVIDER', true],
  ] as const)('%i is %s', (status, category, isAmbiguous) => {
    expect(detailsOf(status)).toMatchObject({ category, isAmbiguous, providerStatus: status });
  });
});

describe('message', () => {
  it('is the provider’s own', () => {
    expect(detailsOf(422, {}, '{"error":{"message":"title is missing"}}').message).toBe('title is missing');
  });

  it.each(['', '<html>', '{}', '{"error":{"message":7}}', '{"error":{"message":""}}', 'null'])(
    'says the status when the body is %j',
    (text) => {
      expect(detailsOf(422, {}, text).message).toBe('The provider answered 422.');
    },
  );

  it('names the fields that are wrong, where the provider does', () => {
    const speaks = { rules: [], resets: [], message: ['errorMessages', '0'], fieldMessages: ['errors'] };
    const told = (body: object) => {
      const answer = { status: 400, headers: {}, text: JSON.stringify(body) };
      return failureOfResponse(answer, speaks, NOW).details.message;
    };
    const errors = {
      summary: 'You must specify a summary.',
      customfield_1: 'Team is required.',
      odd: { no: 'text' },
    };
    const fields = 'summary: You must specify a summary. customfield_1: Team is required.';
    expect(told({ errorMessages: [], errors })).toBe(fields);
    expect(told({ errorMessages: ['No.'], errors })).toBe(`No. ${fields}`);
    for (const none of [{}, { errors: [] }, { errors: 'x' }])
      expect(told(none)).toBe('The provider answered 400.');
  });

  it('is cut where it would fill a log', () => {
    expect(
      detailsOf(422, {}, JSON.stringify({ error: { message: 'x'.repeat(9_000) } })).message,
    ).toHaveLength(500);
  });
});

describe('no answer', () => {
  it.each<[HttpErrorKind, boolean, string]>([
    ['refused', false, 'INVALID'],
    ['unreachable', false, 'NETWORK'],
    ['timeout', true, 'NETWORK'],
    ['interrupted', true, 'NETWORK'],
    ['too_large', true, 'PROVIDER'],
  ])('%s is a failure of its own', (kind, isSent, category) => {
    const error = new HttpError(kind, isSent, 'What happened.');
    const failure = failureOfError(error);
    expect(failure).toBeInstanceOf(ProviderFailure);
    expect(failure.details).toEqual({ category, code: kind, message: 'What happened.', isAmbiguous: isSent });
    expect(failure.cause).toBe(error);
  });
});
