import type { Clock } from '../../src/core/clock.js';
import { githubError, invalidField, page, toTime, user } from './fake-github-answers.js';
import { type FakeDeliveries, createDeliveries } from './fake-github-deliveries.js';
import type { FakeAnswer, FakeHandler, FakeRequest } from './fake-provider.js';

/** A webhook at GitHub, with the secret that GitHub never shows. */
export interface FakeHook {
  readonly id: number;
  /** Below which it was made: `/repos/octo/demo` or `/orgs/octo`. */
  readonly at: string;
  isActive: boolean;
  events: readonly string[];
  config: Config;
  readonly createdAt: Date;
  /** What the receiver answered to the last delivery; undefined before the first. */
  lastStatus?: number;
}

interface Config {
  readonly url?: string;
  readonly secret?: string;
  readonly content_type?: string;
  readonly insecure_ssl?: string;
}

interface HookBody {
  readonly name?: string;
  readonly active?: boolean;
  readonly events?: readonly string[];
  readonly config?: Config;
}

export interface FakeHooks {
  readonly all: readonly FakeHook[];
  readonly deliveries: FakeDeliveries;
  /**
   * Sends an event to every webhook that wants it, signed as it is set up; answers what the receivers answered. With
   * `isLost` the network fails on the way.
   */
  deliver(event: string, payload: object, isLost?: boolean): Promise<readonly number[]>;
}

/** Of the events our rules know: those that no repository sends, and the one that only apps get. */
const OF_ORGANIZATIONS = new Set(['organization', 'membership']);
const OF_APPS = new Set(['installation', 'ping']);

export interface HookDeps {
  readonly clock: Clock;
  readonly on: (route: string, handle: FakeHandler) => void;
  readonly hasScope: (...scopes: readonly string[]) => boolean;
  readonly addEffect: (name: string) => void;
}

/** https://docs.github.com/rest/repos/webhooks and https://docs.github.com/rest/orgs/webhooks, for `octo` and its `demo`. */
export function serveHooks({ clock, on, hasScope, addEffect }: HookDeps): FakeHooks {
  const hooks: FakeHook[] = [];
  const deliveries = createDeliveries(clock);
  let lastId = 8000;

  function create({ body }: FakeRequest, at: string): FakeAnswer {
    const { name = 'web', active = true, events = ['push'], config = {} } = body as HookBody;
    if (name !== 'web') return invalidField('Hook', 'name', 'invalid');
    const problem = problemOf(at, events, config) ?? duplicateOf(at, events, config);
    if (problem) return problem;
    addEffect('hook');
    const hook = { id: ++lastId, at, isActive: active, events, config, createdAt: clock.now() };
    hooks.push(hook);
    // Not awaited: it comes while whoever made the webhook still waits for the answer, or after.
    if (config.url?.startsWith('http://127.0.0.1:')) void send(hook, 'ping', pingOf(hook));
    return { status: 201, body: toHook(hook) };
  }

  /** One configuration may be there several times only if no event would be sent twice. */
  function duplicateOf(at: string, events: readonly string[], { url }: Config): FakeAnswer | undefined {
    const overlaps = (hook: FakeHook): boolean => events.some((event) => hook.events.includes(event));
    if (!hooks.some((hook) => hook.at === at && hook.config.url === url && overlaps(hook))) return undefined;
    const message = `Hook already exists on this ${isOrganization(at) ? 'organization' : 'repository'}`;
    return githubError(422, undefined, { errors: [{ resource: 'Hook', code: 'custom', message }] });
  }

  /** What is given replaces what was there; a secret that is not given is removed. */
  function change({ body }: FakeRequest, hook: FakeHook): FakeAnswer {
    const { active = hook.isActive, events = hook.events, config = hook.config } = body as HookBody;
    const problem = problemOf(hook.at, events, config);
    if (problem) return problem;
    Object.assign(hook, { isActive: active, events, config });
    return { status: 200, body: toHook(hook) };
  }

  /** Here what is not given stays. */
  function configure({ body }: FakeRequest, hook: FakeHook): FakeAnswer {
    hook.config = { ...hook.config, ...(body as Config) };
    return { status: 200, body: shown(hook.config) };
  }

  function remove(hook: FakeHook): FakeAnswer {
    hooks.splice(hooks.indexOf(hook), 1);
    return { status: 204 };
  }

  async function send(hook: FakeHook, event: string, payload: object, isLost = false): Promise<number> {
    hook.lastStatus = await deliveries.send(hook, event, payload, isLost);
    return hook.lastStatus;
  }

  function serve(
    path: string,
    of: (params: Readonly<Record<string, string>>) => string,
    scopes: string[],
  ): void {
    const guarded = (
      route: string,
      handle: (request: FakeRequest, at: string, id: string) => FakeAnswer,
    ): void =>
      on(route, (request, params) =>
        // What a token may not see is not there.
        hasScope(...scopes) ? handle(request, of(params), params['id'] ?? '') : githubError(404),
      );
    const onHook = (route: string, handle: (request: FakeRequest, hook: FakeHook) => FakeAnswer): void =>
      guarded(route, (request, at, id) => {
        const hook = hooks.find((candidate) => candidate.at === at && String(candidate.id) === id);
        return hook ? handle(request, hook) : githubError(404);
      });
    guarded(`POST ${path}/hooks`, create);
    guarded(`GET ${path}/hooks`, (request, at) =>
      page(hooks.filter((hook) => hook.at === at).map(toHook), request),
    );
    onHook(`PATCH ${path}/hooks/{id}`, change);
    onHook(`PATCH ${path}/hooks/{id}/config`, configure);
    onHook(`DELETE ${path}/hooks/{id}`, (_, hook) => remove(hook));
    onHook(`GET ${path}/hooks/{id}/deliveries`, (request, hook) => deliveries.list(request, hook.id));
    onHook(`POST ${path}/hooks/{id}/deliveries/{delivery}/attempts`, ({ path: at }, hook) =>
      deliveries.repeat(hook, at.split('/').at(-2) ?? ''),
    );
  }
  serve('/repos/{owner}/{repo}', ({ owner, repo }) => `/repos/${owner}/${repo}`, ['repo', 'write:repo_hook']);
  serve('/orgs/{org}', ({ org }) => `/orgs/${org}`, ['admin:org_hook']);

  return {
    all: hooks,
    deliveries,
    deliver(event, payload, isLost) {
      const wanting = hooks.filter(({ isActive, events }) => isActive && events.includes(event));
      return Promise.all(wanting.map((hook) => send(hook, event, payload, isLost)));
    },
  };
}

function problemOf(at: string, events: readonly string[], { url, content_type: type }: Config) {
  if (!url) return invalidField('Hook', 'url', 'missing_field');
  if (type !== undefined && type !== 'json' && type !== 'form') {
    return invalidField('Hook', 'content_type', 'invalid');
  }
  const refused = (event: string): boolean =>
    OF_APPS.has(event) || event.includes('.') || (OF_ORGANIZATIONS.has(event) && !isOrganization(at));
  return events.some(refused) ? invalidField('Hook', 'events', 'invalid') : undefined;
}

const isOrganization = (at: string): boolean => at.startsWith('/orgs/');

function pingOf(hook: FakeHook): object {
  return { zen: 'Keep it logically awesome.', hook_id: hook.id, hook: toHook(hook), sender: user };
}

function shown({ secret, ...config }: Config): object {
  return { content_type: 'form', insecure_ssl: '0', ...config, ...(secret && { secret: '********' }) };
}

function toHook(hook: FakeHook): object {
  const url = `https://api.github.com${hook.at}/hooks/${hook.id}`;
  return {
    type: isOrganization(hook.at) ? 'Organization' : 'Repository',
    id: hook.id,
    name: 'web',
    active: hook.isActive,
    events: hook.events,
    config: shown(hook.config),
    updated_at: toTime(hook.createdAt),
    created_at: toTime(hook.createdAt),
    url,
    ping_url: `${url}/pings`,
    deliveries_url: `${url}/deliveries`,
    last_response: {
      code: hook.lastStatus ?? null,
      status: hook.lastStatus ? 'active' : 'unused',
      message: null,
    },
  };
}
