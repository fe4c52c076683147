import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';

/** What one oidc-provider remembers. Nothing is ever cleared away: no test lasts so long. */
export function createOidcMemory(): AdapterFactory {
  const stored = new Map<string, AdapterPayload>();

  return (model): Adapter => {
    const keyOf = (id: string) => `${model}:${id}`;
    return {
      upsert: async (id, payload) => void stored.set(keyOf(id), payload),
      find: async (id) => stored.get(keyOf(id)),
      findByUid: async (uid) => [...stored.values()].find((payload) => payload.uid === uid),
      findByUserCode: async () => undefined,
      destroy: async (id) => void stored.delete(keyOf(id)),
      async consume(id) {
        const payload = stored.get(keyOf(id));
        if (payload) payload.consumed = Math.floor(Date.now() / 1000);
      },
      async revokeByGrantId(grantId) {
        for (const [key, payload] of stored) {
          if (key.startsWith(`${model}:`) && payload.grantId === grantId) stored.delete(key);
        }
      },
    };
  };
}
