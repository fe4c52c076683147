import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readConfig } from '../config.js';
import { ConfigError } from '../core/errors.js';
import { readMasterKey } from './master-key.js';
import { type DataKey, type SealedPlace, keyVersionOf, open, prefixOf, seal } from './seal.js';

const place: SealedPlace = { tenantId: 'acme', id: '018f', field: 'credential', version: 1 };
/** OpenSSL's word for a wrong tag, and ours for what is no sealed value at all. */
const REFUSED = /unable to authenticate|not in the sealed format/;
const newKey = (version: number): DataKey => ({ version, key: createSecretKey(randomBytes(32)) });
const dataKey = newKey(7);

/** As the vault opens: by the version that the value names. */
function openBy(sealed: Buffer, where: SealedPlace = place, by: DataKey = dataKey): Buffer {
  return open({ ...by, version: keyVersionOf(sealed) }, sealed, where);
}

describe('a sealed value', () => {
  it('opens to what it was, texts and bytes', () => {
    expect(openBy(seal(dataKey, 'päss 🔑', place)).toString('utf8')).toBe('päss 🔑');
    const bytes = randomBytes(100_000);
    expect(openBy(seal(dataKey, bytes, place)).equals(bytes)).toBe(true);
    expect(openBy(seal(dataKey, '', place))).toHaveLength(0);
  });

  it('shows nothing, and is never the same twice', () => {
    const [one, other] = [seal(dataKey, 'hunter2', place), seal(dataKey, 'hunter2', place)];
    expect(one.includes('hunter2')).toBe(false);
    expect(one.equals(other)).toBe(false);
  });

  it('tells the version of its key, and begins as every value under it does', () => {
    for (const version of [1, 255, 256, 70_000]) {
      const sealed = seal(newKey(version), 'x', place);
      expect(keyVersionOf(sealed)).toBe(version);
      expect(sealed.subarray(0, 5).equals(prefixOf(version))).toBe(true);
    }
  });

  it.each<[string, Partial<SealedPlace>]>([
    ['tenant', { tenantId: 'globex' }],
    ['row', { id: '018e' }],
    ['field', { field: 'webhook_secret' }],
    ['version of the field', { version: 2 }],
  ])('does not open in another %s', (_name, other) => {
    expect(() => openBy(seal(dataKey, 'x', place), { ...place, ...other })).toThrow(REFUSED);
  });

  it('does not confuse places whose parts run together', () => {
    const sealed = seal(dataKey, 'x', { ...place, tenantId: 'a', id: 'bc' });
    expect(() => openBy(sealed, { ...place, tenantId: 'ab', id: 'c' })).toThrow(REFUSED);
  });

  it('refuses any altered, cut or extended byte, and another key', () => {
    const sealed = seal(dataKey, 'secret', place);
    for (let index = 0; index < sealed.length; index += 1) {
      const copy = Buffer.from(sealed);
      copy[index] = (copy[index] ?? 0) ^ 1;
      expect(() => openBy(copy), `byte ${index}`).toThrow(REFUSED);
    }
    for (let length = 0; length < sealed.length; length += 1) {
      expect(() => openBy(sealed.subarray(0, length)), `length ${length}`).toThrow(REFUSED);
    }
    expect(() => openBy(Buffer.concat([sealed, Buffer.of(0)]))).toThrow(REFUSED);
    expect(() => openBy(sealed, place, newKey(7))).toThrow(REFUSED);
  });
});

describe('the master key', () => {
  it('is made once in the data directory, for its owner only', () => {
    const dir = mkdtempSync(join(tmpdir(), 'tributary-key-'));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const config = readConfig({ TRIBUTARY_DATA_DIR: join(dir, 'data') });
    const key = readMasterKey(config);
    expect(key).toHaveLength(32);
    expect(readMasterKey(config).equals(key)).toBe(true);
    const file = join(dir, 'data', 'master.key');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(Buffer.from(readFileSync(file, 'utf8'), 'base64').equals(key)).toBe(true);
  });

  it.each([
    ['an empty file', ''],
    ['a key cut short', randomBytes(31).toString('base64')],
    ['a key too long', randomBytes(33).toString('base64')],
    ['no base64', 'hello'],
  ])('is not taken from %s, and the file is named', (_name, text) => {
    const dir = mkdtempSync(join(tmpdir(), 'tributary-key-'));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const file = join(dir, 'master.key');
    writeFileSync(file, text);
    const read = () => readMasterKey(readConfig({ TRIBUTARY_DATA_DIR: dir }));
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(`${file}: not a key of 32 bytes`);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('is the variable’s where that is set', () => {
    const key = randomBytes(32);
    const config = readConfig({
      TRIBUTARY_MASTER_KEY: key.toString('base64'),
      TRIBUTARY_DATA_DIR: '/nowhere/to/be/made',
    });
    expect(readMasterKey(config).equals(key)).toBe(true);
  });
});
