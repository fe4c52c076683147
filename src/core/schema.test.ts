import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { JsonSchema } from '../connector/index.js';
import { requireValid } from './schema.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** As `custom` puts one together for every call: another object each time. */
const schemaOf = (name: string): JsonSchema => ({
  type: 'object',
  required: ['color'],
  properties: { color: { enum: Array.from({ length: 20 }, (_, n) => `${name} ${n}`) } },
});

describe('requireValid', () => {
  it('holds the data to the schema, also where an enum is long', () => {
    const schema = schemaOf('grey');
    expect(() => requireValid(schema, { color: 'grey 19' }, 'input')).not.toThrow();
    expect(() => requireValid(schema, { color: 'grey 20' }, 'input')).toThrow(
      /^input\.color: must be one of grey 0, grey 1, .*, grey 19$/,
    );
    expect(() => requireValid(schema, {}, 'input')).toThrow('input.color: is missing');
  });

  it('compiles what says the same once, whichever object says it', () => {
    const compile = vi.spyOn(Ajv2020.prototype, 'compile');
    onTestFinished(() => compile.mockRestore());
    for (let n = 0; n < 5; n += 1) requireValid(schemaOf('red'), { color: 'red 1' }, 'input');
    expect(compile).toHaveBeenCalledTimes(1);
    requireValid(schemaOf('blue'), { color: 'blue 1' }, 'input');
    expect(compile).toHaveBeenCalledTimes(2);
  });

  it('keeps no schema for good that nobody else keeps', async () => {
    const first = ((): WeakRef<JsonSchema> => {
      const schema = schemaOf('first');
      requireValid(schema, { color: 'first 1' }, 'input');
      return new WeakRef(schema);
    })();
    for (let n = 0; n < 100; n += 1) requireValid(schemaOf(`later ${n}`), { color: `later ${n} 1` }, 'input');
    await expect
      .poll(() => {
        collect();
        return first.deref() === undefined;
      })
      .toBe(true);
  });
});
