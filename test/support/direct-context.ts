import type { JsonObject, ProviderContext } from '../../src/connector/index.js';

/** The way to a fake without gate, limits and deadlines, for tests that move the fake's clock while they read. GET only. */
export function directContext(url: string, authorization: string, settings: JsonObject): ProviderContext {
  return {
    settings,
    async request({ method, path, query = {} }) {
      const search = new URLSearchParams();
      for (const [name, value] of Object.entries(query))
        if (value !== undefined) search.set(name, String(value));
      const answer = await fetch(`${url}${path}?${search.toString()}`, {
        method,
        headers: { authorization },
      });
      return { status: answer.status, headers: {}, body: await answer.json() };
    },
  };
}
