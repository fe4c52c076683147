import type { FakeAnswer, FakeHandler, FakeProvider } from './fake-provider.js';

/** A webhook as an administrator sees it, with the secret that Jira never shows. */
export interface FakeHook {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly secret?: string;
  readonly events: readonly string[];
  readonly filters?: object;
}

const HOOKS = '/rest/webhooks/1.0/webhook';

/** `/rest/webhooks/1.0`, which only an API token of an administrator opens. Answers what is set up. */
export function serveHooks(
  provider: FakeProvider,
  on: (route: string, handle: FakeHandler) => void,
): readonly FakeHook[] {
  const hooks: FakeHook[] = [];
  let lastId = 0;

  const onHook = (method: string, handle: (index: number, body: unknown) => FakeAnswer): void =>
    on(`${method} ${HOOKS}/{id}`, ({ body }, { id }) => {
      const index = hooks.findIndex((hook) => hook.id === id);
      return index < 0
        ? { status: 404, body: { messages: [{ key: 'webhook.not.found' }] } }
        : handle(index, body);
    });

  on(`GET ${HOOKS}`, () => ({ status: 200, body: hooks.map(shown) }));
  on(`POST ${HOOKS}`, ({ body }) => {
    const wanted = body as Partial<FakeHook>;
    if (!wanted.name || !wanted.url || !wanted.events)
      return { status: 400, body: { messages: [{ key: 'webhook.invalid' }] } };
    provider.addEffect('webhook');
    const hook = { ...(wanted as FakeHook), id: String(++lastId) };
    hooks.push(hook);
    return { status: 201, body: shown(hook) };
  });
  // What is left out is taken off, the secret too.
  onHook('PUT', (index, body) => {
    const changed = { ...(body as FakeHook), id: hooks[index]?.id ?? '' };
    hooks[index] = changed;
    return { status: 200, body: shown(changed) };
  });
  onHook('DELETE', (index) => {
    hooks.splice(index, 1);
    return { status: 204 };
  });
  return hooks;
}

function shown({ id, name, url, secret, events, filters = {} }: FakeHook) {
  return {
    name,
    url,
    events,
    filters,
    excludeBody: false,
    enabled: true,
    isSigned: Boolean(secret),
    self: `https://acme.atlassian.net${HOOKS}/${id}`,
  };
}
