import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readConfig } from '../config.js';
import { ConfigError } from '../core/errors.js';
import { type SealedPlace, createVault, readMasterKey } from './vault.js';

const place: SealedPlace = { tenantId: 'acme', id: '018f', field: 'credential' };
/** OpenSSL's word for a wrong tag, and ours for what is no sealed value at all. */
const REFUSED = /unable to authenticate|not in the sealed format/;
const vault = createVault(randomBytes(32));

describe('the vault', () => {
  it('opens what it sealed, texts and bytes', () => {
    expect(vault.open(vault.seal('päss 🔑', place), place).toString('utf8')).toBe('päss 🔑');
    const bytes = randomBytes(100_000);
    expect(vault.open(vault.seal(bytes, place), place).equals(bytes)).toBe(true);
    expect(vault.open(vault.seal('', place), place)).toHaveLength(0);
  });

  it('shows nothing and never seals alike twice', () => {
    const [one, other] = [vault.seal('hunter2', place), vault.seal('hunter2', place)];
    expect(one.includes('hunter2')).toBe(false);
    expect(one.equals(other)).toBe(false);
  });

  it.each<[string, Partial<SealedPlace>]>([
    ['tenant', { tenantId: 'globex' }],
    ['row', { id: '018e' }],
    ['field', { field: 'webhook_secret' }],
  ])('does not open in another %s', (_name, other) => {
    expect(() => vault.open(vault.seal('x', place), { ...place, ...other })).toThrow(REFUSED);
  });

  it('does not confuse places whose parts run together', () => {
    const sealed = vault.seal('x', { ...place, tenantId: 'a', id: 'bc' });
    expect(() => vault.open(sealed, { ...place, tenantId: 'ab', id: 'c' })).toThrow(REFUSED);
  });

  it('refuses any altered, cut or extended byte, and another key', () => {
    const sealed = vault.seal('secret', place);
    for (let index = 0; index < sealed.length; index += 1) {
      const copy = Buffer.from(sealed);
      copy[index] = (copy[index] ?? 0) ^ 1;
      expect(() => vault.open(copy, place), `byte ${index}`).toThrow(REFUSED);
    }
    for (let length = 0; length < sealed.length; length += 1) {
      expect(() => vault.open(sealed.subarray(0, length), place), `length ${length}`).toThrow(REFUSED);
    }
    expect(() => vault.open(Buffer.concat([sealed, Buffer.of(0)]), place)).toThrow(REFUSED);
    expect(() => createVault(randomBytes(32)).open(sealed, place)).toThrow(REFUSED);
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
