import { afterAll, describe, expect, it } from 'vitest';
import { ExpressionError } from './error.js';
import { createEvaluator, evaluatorLimits } from './evaluator.js';

const evaluator = createEvaluator();
afterAll(() => evaluator.close());

const order = {
  id: 'o-1',
  lines: [
    { sku: 'door', price: 250 },
    { sku: 'handle', price: 20 },
  ],
};

async function problemOf(text: string, input: unknown = order): Promise<ExpressionError> {
  const failed = await evaluator.evaluate('acme', text, input).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(ExpressionError);
  return failed as ExpressionError;
}

describe('evaluate', () => {
  it.each([
    ['{ "id": id, "total": $sum(lines.price) }', { id: 'o-1', total: 270 }],
    ['lines.{ "sku": $uppercase(sku) }', [{ sku: 'DOOR' }, { sku: 'HANDLE' }]],
    ['nothing.here', undefined],
    ['$event.type', 'order.made'],
    ['$match(id, /o-(\\d)/).groups', ['1']],
  ])('answers what %s makes', async (text, expected) => {
    const made = await evaluator.evaluate('acme', text, order, { event: { type: 'order.made' } });
    expect(made).toEqual(expected);
  });

  it.each(['$eval("1")', '$now()', '$millis()', '$random()', '$shuffle([1, 2])'])(
    'refuses %s, which would make something else the next time, or hide what it does',
    async (text) => {
      expect((await problemOf(text)).message).toMatch(/is not available here/);
    },
  );

  it('says where the mistake is, and not what was in the event', async () => {
    const syntax = await problemOf('{\n  "id": id,\n  "total": $sum(lines.price\n}');
    expect(syntax.message).toMatch(/^Expected "\)", got "}" \(.*line 4, column \d+\)$/);
    const type = await problemOf('$number(id)', { id: 'secret of theirs' });
    expect(type.details).toMatchObject({ code: 'D3030', position: 8 });
    expect(type.message).not.toContain('secret of theirs');
  });
});

describe('a failure', () => {
  it.each([
    ['1 + function(){1}', 'T2002', /must evaluate to a number/],
    ['-function($x){$x}', 'failed', /a function that stands where a value is needed/],
    ['{ function(){1}: 1 }', 'failed', /a function that stands where a value is needed/],
    ['$sum([function(){1}])', 'T0412', /must be an array/],
  ])('of %s is told, and ends no thread', async (text, code, expected) => {
    const { details } = await problemOf(text);
    expect(details.code).toBe(code);
    expect(details.problem).toMatch(expected);
  });

  it('says only so much, also where the expression says it itself', async () => {
    const { details } = await problemOf('$error($pad("é", 100000, "é"))');
    expect(details).toMatchObject({ code: 'D3137', problem: 'é'.repeat(500) });
    expect((await problemOf('$error($pad("", 499, "x") & "😀")')).details.problem.isWellFormed()).toBe(true);
  });
});

describe('limits', () => {
  it.each([
    ['a loop', '($f := function($n) { $f($n + 1) }; $f(0))', /too_slow|D1011|D1012/],
    ['a pattern that backtracks', '$contains(id, /^(a+)+$/)', /too_slow/],
    ['a long list', '[1..9000000]', /D2014|D2015|too_large|too_slow/],
    ['a long text', '$pad("x", 50000000)', /too_large|too_slow/],
    [
      'a result that is nested too deep',
      '$reduce([1..100], function($all, $n) { [[$all], $n] })',
      /too_large/,
    ],
    ['deep recursion', '($f := function($n) { 1 + $f($n + 1) }; $f(0))', /D1011|too_slow/],
  ])('end %s', async (_, text, expected) => {
    const { message } = await problemOf(text, { id: `${'a'.repeat(40)}!` });
    expect(message).toMatch(expected);
    // And the next one runs as if nothing had been.
    expect(await evaluator.evaluate('acme', 'id', order)).toBe('o-1');
  });

  it('are for expressions and events as well', async () => {
    expect((await problemOf(' '.repeat(16_385))).details.code).toBe('too_large');
    expect((await problemOf('1', 'x'.repeat(1_100_000))).details.code).toBe('too_large');
  });

  it('leave the thread nothing to take: no environment, no host objects', async () => {
    for (const text of [
      '{}.constructor',
      '"".constructor',
      '$string.constructor',
      '{}.__proto__',
      'process',
    ]) {
      expect(await evaluator.evaluate('acme', text, order)).toBeUndefined();
    }
  });
});

describe('owners', () => {
  it('take turns: one who has many waiting keeps nobody else waiting', async () => {
    const one = createEvaluator({ ...evaluatorLimits, threads: 1 });
    try {
      const done: string[] = [];
      const note = (name: string) => (): void => void done.push(name);
      const all = [
        ...[1, 2, 3, 4].map((n) => one.evaluate('greedy', `${n}`, order).then(note(`greedy ${n}`))),
        one.evaluate('modest', '1', order).then(note('modest')),
      ];
      await Promise.all(all);
      // Behind the one that runs, and at most one more.
      expect(done.indexOf('modest')).toBeLessThanOrEqual(2);
    } finally {
      await one.close();
    }
  });

  it('are told when too many of theirs are waiting, and others are not', async () => {
    const small = createEvaluator({ ...evaluatorLimits, waiting: 2 });
    try {
      const asked = [1, 2, 3, 4].map((n) => small.evaluate('acme', `${n}`, order));
      const settled = await Promise.allSettled(asked);
      expect(settled.map(({ status }) => status)).toEqual([
        'fulfilled',
        'fulfilled',
        'fulfilled',
        'rejected',
      ]);
      expect(settled[3]).toMatchObject({ reason: { code: 'RATE_LIMITED' } });
      expect(await small.evaluate('other', '1', order)).toBe(1);
    } finally {
      await small.close();
    }
  });
});

describe('check', () => {
  it('finds what is written wrong, without running it', async () => {
    expect(await evaluator.check('acme', '$eval("1")')).toBeNull();
    expect((await evaluator.check('acme', '{ "a": }'))?.details).toMatchObject({ position: 8 });
  });
});

it('tells those who wait when it is closed', async () => {
  const closing = createEvaluator({ ...evaluatorLimits, threads: 1 });
  const asked = [closing.evaluate('a', '1', order), closing.evaluate('b', '2', order)];
  const settled = Promise.allSettled(asked);
  await closing.close();
  expect((await settled)[1]).toMatchObject({ reason: { code: 'SHUTTING_DOWN' } });
});
