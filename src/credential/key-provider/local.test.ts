import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { describeKeyProvider, failureOf } from '../../../test/support/fake-kms/contract.js';
import { createLocalKeyProvider } from './local.js';

const name = { tenantId: 'acme', version: 1 };

describeKeyProvider(async () => {
  const masterKey = randomBytes(32);
  return {
    provider: createLocalKeyProvider({ masterKey }),
    rotate: () => createLocalKeyProvider({ masterKey: randomBytes(32), previousMasterKeys: [masterKey] }),
  };
});

describe('a master key', () => {
  it('is named by a fingerprint that stays the same and shows nothing of it', async () => {
    const masterKey = Buffer.alloc(32, 7);
    const wrap = () => createLocalKeyProvider({ masterKey }).wrap(randomBytes(32), name);
    const [{ keyId }, again] = [await wrap(), await wrap()];
    expect(keyId).toMatch(/^local:[0-9a-f]{16}$/);
    expect(again.keyId).toBe(keyId);
    // Stored with every data key: another way of counting would make them all unknown.
    expect(keyId).toBe('local:727daae570441269');
  });

  it('that is gone is asked for by its name', async () => {
    const lost = createLocalKeyProvider({ masterKey: randomBytes(32) });
    const wrapped = await lost.wrap(randomBytes(32), name);
    const provider = createLocalKeyProvider({ masterKey: randomBytes(32) });
    const failure = await failureOf(provider.unwrap(wrapped, name));
    expect(failure.kind).toBe('missing');
    expect(failure.message).toContain(wrapped.keyId);
    expect(failure.message).toContain('TRIBUTARY_MASTER_KEY_PREVIOUS');
  });

  it('opens nothing of another one that was given its name', async () => {
    const wrapped = await createLocalKeyProvider({ masterKey: randomBytes(32) }).wrap(randomBytes(32), name);
    const provider = createLocalKeyProvider({ masterKey: randomBytes(32) });
    const { keyId } = await provider.wrap(randomBytes(32), name);
    const failure = await failureOf(provider.unwrap({ ...wrapped, keyId }, name));
    expect(failure.kind).toBe('unreadable');
  });
});
