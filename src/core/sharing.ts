import type { LRUCache } from 'lru-cache';

/**
 * What the cache has under this name, or what `ask` answers: those who miss together ask once, and a failure is not
 * kept. What was asked before the cache was cleared does not come back into it.
 */
export function sharing<T>(
  cache: LRUCache<string, Promise<T>>,
  name: string,
  ask: () => Promise<T>,
): Promise<T> {
  const known = cache.get(name);
  if (known) return known;
  const asked = ask();
  cache.set(name, asked);
  asked.catch(() => cache.peek(name) === asked && cache.delete(name));
  return asked;
}
