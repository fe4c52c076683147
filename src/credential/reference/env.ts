import { SecretReferenceError } from './error.js';
import type { SecretStore } from './store.js';

/** Variables of the process, which src/config.ts has read. The grammar lets only TRIBUTARY_SECRET_* through. */
export function createEnvStore(variables: Readonly<Record<string, string | undefined>>): SecretStore {
  return {
    async read({ path: [name = ''] }) {
      const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
      if (value) return value;
      throw new SecretReferenceError('missing', 'This server was started without a variable of that name.');
    },
    close() {},
  };
}
