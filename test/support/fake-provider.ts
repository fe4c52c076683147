import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as the fake received it. */
export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  /** A parameter that came several times is joined by `,`. */
  readonly query: Readonly<Record<string, string>>;
  /** As it came: `?a=1&a=2`. */
  readonly search: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The text as JSON; undefined when it is none. */
  readonly body: unknown;
}

export interface FakeAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text is sent as it stands, everything else as JSON. */
  readonly body?: unknown;
}

/** What the provider does on a route. The second argument holds the template's values, decoded. */
export type FakeHandler = (request: FakeRequest, params: Readonly<Record<string, string>>) => FakeAnswer;

/** Which requests: `POST /issues/{id}`, or any claim about them. */
export type RequestMatch = string | ((request: FakeRequest) => boolean);

/** One request being answered, as a behavior sees it. */
export interface Exchange {
  readonly request: FakeRequest;
  readonly response: ServerResponse;
  /** Runs the route's handler, with its effects. A path without a route is a 404. */
  perform(): FakeAnswer;
  send(answer: FakeAnswer): void;
}

/** How one request is treated, in place of simply performing it and sending the answer. */
export type Behavior = (exchange: Exchange) => void | Promise<void>;

/** A provider of our own making on a real socket: routes, a script of misbehavior, and a count of what it did. */
export interface FakeProvider {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Everything received so far, oldest first; whatever became of it. */
  readonly requests: readonly FakeRequest[];
  /** What routes answered, before any behavior changed it; oldest first. */
  readonly performed: readonly { readonly request: FakeRequest; readonly answer: FakeAnswer }[];
  /** How often each effect came about. */
  readonly effects: ReadonlyMap<string, number>;
  /** `POST /things/{id}`. Of routes that fit, the newest answers. */
  on(route: string, handler: FakeHandler): void;
  /** Handlers call it when they change the world. */
  addEffect(name: string): void;
  /** The next requests that match are treated so, one behavior each, in this order. Then all is normal again. */
  next(match: RequestMatch, ...behaviors: readonly Behavior[]): void;
  /** Settles with the first request that matches, past or to come. */
  waitForRequest(match: RequestMatch): Promise<FakeRequest>;
  /** Cuts every connection, hanging ones too. */
  close(): Promise<void>;
}

interface Planned {
  readonly matches: (request: FakeRequest) => boolean;
  readonly behaviors: Behavior[];
}

interface Waiter {
  readonly matches: (request: FakeRequest) => boolean;
  readonly resolve: (request: FakeRequest) => void;
}

/** Starts a fake on a free port of 127.0.0.1. */
export async function startFakeProvider(): Promise<FakeProvider> {
  const routes: { readonly route: string; readonly handler: FakeHandler }[] = [];
  const requests: FakeRequest[] = [];
  const performed: { readonly request: FakeRequest; readonly answer: FakeAnswer }[] = [];
  const effects = new Map<string, number>();
  const script: Planned[] = [];
  let waiters: Waiter[] = [];

  function perform(request: FakeRequest): FakeAnswer {
    for (const { route, handler } of routes) {
      const params = matchRoute(route, request);
      if (!params) continue;
      const answer = handler(request, params);
      performed.push({ request, answer });
      return answer;
    }
    return { status: 404, body: { message: `The fake has no route ${request.method} ${request.path}` } };
  }

  function record(request: FakeRequest): void {
    requests.push(request);
    for (const waiter of waiters) if (waiter.matches(request)) waiter.resolve(request);
    waiters = waiters.filter((waiter) => !waiter.matches(request));
  }

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await readRequest(incoming);
    record(request);
    const planned = script.find(({ matches, behaviors }) => behaviors.length > 0 && matches(request));
    const behave = planned?.behaviors.shift() ?? performAndSend;
    await behave({
      request,
      response,
      perform: () => perform(request),
      send: (answer) => sendAnswer(response, answer),
    });
  }

  const server = createServer((incoming, response) => {
    // A mistake in a handler has to be seen in the test, and a caller that went away is no mistake.
    serve(incoming, response).catch((error: unknown) => {
      if (response.headersSent || incoming.destroyed) response.destroy();
      else sendAnswer(response, { status: 500, body: { message: `The fake failed: ${String(error)}` } });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    performed,
    effects,
    on: (route, handler) => void routes.unshift({ route, handler }),
    addEffect: (name) => void effects.set(name, (effects.get(name) ?? 0) + 1),
    next: (match, ...behaviors) =>
      void script.push({ matches: toPredicate(match), behaviors: [...behaviors] }),
    waitForRequest(match) {
      const matches = toPredicate(match);
      const seen = requests.find(matches);
      if (seen) return Promise.resolve(seen);
      return new Promise((resolve) => waiters.push({ matches, resolve }));
    },
    async close() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

const performAndSend: Behavior = ({ perform, send }) => send(perform());

function toPredicate(match: RequestMatch): (request: FakeRequest) => boolean {
  return typeof match === 'string' ? (request) => matchRoute(match, request) !== undefined : match;
}

/** The template's values when method and path fit it. A value is one segment, as on a real server. */
function matchRoute(route: string, { method, path }: FakeRequest): Record<string, string> | undefined {
  const template = route.split(/[ /]/);
  const actual = [method, ...path.split('/')];
  if (template.length !== actual.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of template.entries()) {
    const value = actual[index] ?? '';
    if (part.startsWith('{')) params[part.slice(1, -1)] = decodeURIComponent(value);
    else if (part !== value) return undefined;
  }
  return params;
}

async function readRequest(incoming: IncomingMessage): Promise<FakeRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  const url = new URL(incoming.url ?? '/', 'http://fake');
  return {
    method: incoming.method ?? '',
    path: url.pathname,
    query: queryOf(url),
    search: url.search,
    headers: Object.fromEntries(
      Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
    ),
    text,
    body: parseJson(text),
  };
}

function queryOf({ searchParams }: URL): Record<string, string> {
  const names = [...new Set(searchParams.keys())];
  return Object.fromEntries(names.map((name) => [name, searchParams.getAll(name).join(',')]));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function sendAnswer(response: ServerResponse, { status, headers = {}, body }: FakeAnswer): void {
  const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8';
  response.writeHead(status, { ...(body !== undefined && { 'content-type': type }), ...headers });
  response.end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body));
}
