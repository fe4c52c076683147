import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Config } from '../config.js';
import { ConfigError } from '../core/errors.js';
import { readOrCreateKeyFile } from '../core/key-file.js';

const KEY_BYTES = 32;

/** TRIBUTARY_MASTER_KEY, or outside prod the one made once in the data directory. Throws {@link ConfigError}. */
export function readMasterKey({ TRIBUTARY_MASTER_KEY, TRIBUTARY_DATA_DIR }: Config): Buffer {
  if (TRIBUTARY_MASTER_KEY) return Buffer.from(TRIBUTARY_MASTER_KEY, 'base64');
  const path = join(TRIBUTARY_DATA_DIR, 'master.key');
  const key = Buffer.from(
    readOrCreateKeyFile(path, () => randomBytes(KEY_BYTES).toString('base64')),
    'base64',
  );
  if (key.length === KEY_BYTES) return key;
  // Not made anew: what the lost key has sealed would be lost with it, and nobody told.
  throw new ConfigError(
    `${path}: not a key of ${KEY_BYTES} bytes in base64. Put the right one back; or delete the file for a new key, which opens no stored secret.`,
  );
}
