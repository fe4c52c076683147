import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
} from 'fastify';
import type { RawDelivery } from './connector/index.js';
import { correlationIdOf } from './core/auth.js';
import type { Clock } from './core/clock.js';
import { type ErrorCode, type ErrorDetails, TributaryError } from './core/errors.js';
import type { Log } from './core/log.js';
import { toCallersError } from './core/postgres.js';
import type { Metrics } from './core/metrics.js';
import { createTurn } from './core/turn.js';
import { type OAuthDeps, addOAuth } from './oauth.js';
import { addRequestContext } from './rest/request.js';
import { type RestDeps, addRest } from './rest.js';
import type { Admission, WebhookReceiver } from './webhook/receive.js';
import type { WebhookReply } from './webhook/reply.js';

export interface HttpDeps extends RestDeps, OAuthDeps {
  readonly receiver: WebhookReceiver;
  /** Throws when this process can't serve. */
  readonly requireReady: () => Promise<void>;
  readonly webhookMaxBytes: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** The HTTP server with every route but /graphql, which attaches itself. Routes translate; rules live in services. */
export function createHttp(deps: HttpDeps): FastifyInstance {
  const app = fastify({
    bodyLimit: 1024 * 1024,
    // Room for tokens of other shapes than ours: an unknown one must get the answer for unknown ones.
    routerOptions: { maxParamLength: 256 },
    requestTimeout: 30_000,
    // A request is known by its correlation id: the caller's own, or a new one.
    genReqId: ({ headers }) => correlationIdOf(headers),
    // Its own answer while stopping has another shape than ours.
    return503OnClosing: false,
  });
  app.setErrorHandler((error: FastifyError, request, reply) => sendError(error, request, reply, deps));
  app.setNotFoundHandler((request, reply) => {
    return sendError(nothingAt(request), request, reply, deps);
  });
  addRequestContext(app, deps.metrics);
  refuseWhileStopping(app);
  outliveCallers(app);
  // What was read in one turn of the event loop is handled step by step together.
  app.addHook('preHandler', createTurn());
  addProbes(app, deps);
  addRest(app, deps);
  addOAuth(app, deps);
  void app.register(async (scope) => addWebhooks(scope, deps));
  return app;
}

/**
 * What comes on a connection that is still open is refused, and the connection closed. Fastify closes idle ones only
 * once, when it stops; one whose last answer leaves a moment later would hold the stop up for as long as its client
 * keeps it open.
 */
function refuseWhileStopping(app: FastifyInstance): void {
  let sweep: NodeJS.Timeout | undefined;
  app.addHook('preClose', async () => {
    sweep = setInterval(() => app.server.closeIdleConnections(), 50);
  });
  app.addHook('onRequest', (_request, reply, done) => {
    if (!sweep) return done();
    void reply.header('connection', 'close');
    done(new TributaryError('SHUTTING_DOWN', 'This process is stopping.', { retry_after_seconds: 1 }));
  });
  app.addHook('onClose', async () => clearInterval(sweep));
}

/**
 * Fastify waits for connections when it stops. A handler whose caller has gone still runs then, and what it works with must
 * outlive it.
 */
function outliveCallers(app: FastifyInstance): void {
  const running = new Set<Promise<unknown>>();
  app.addHook('onRoute', (route) => {
    const { handler } = route;
    route.handler = function handle(request, reply) {
      const answering: unknown = handler.call(this, request, reply);
      if (answering instanceof Promise) {
        const forget = (): void => void running.delete(answering);
        running.add(answering);
        answering.then(forget, forget);
      }
      return answering;
    };
  });
  app.addHook('onClose', async () => void (await Promise.allSettled(running)));
}

function addProbes(app: FastifyInstance, { requireReady, metrics, log }: HttpDeps): void {
  app.get('/healthz', () => ({ status: 'alive' }));
  app.get('/readyz', async (_request, reply) => {
    try {
      await requireReady();
      return { status: 'ready' };
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'not ready');
      return reply
        .code(503)
        .send(errorBody('STORAGE_UNAVAILABLE', 'The database does not answer.', {}, new Date()));
    }
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}

interface WebhookParams {
  readonly providerId: string;
  readonly token: string;
}

/** In a scope of its own, where no content type is parsed: signatures are over the bytes as they came. */
function addWebhooks(scope: FastifyInstance, { receiver, webhookMaxBytes, clock, metrics }: HttpDeps): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: webhookMaxBytes }, (_request, body, done) =>
    done(null, body),
  );
  scope.addHook('onResponse', (request, reply, done) => {
    const { providerId } = request.params as WebhookParams;
    // Only providers that exist become labels: the path is whatever somebody typed.
    const provider = receiver.takesFrom(providerId) ? providerId : 'unknown';
    metrics.webhooks.inc({ provider, status: reply.statusCode });
    metrics.webhookSeconds.observe({ provider }, reply.elapsedTime / 1000);
    done();
  });
  const admissions = new WeakMap<FastifyRequest, Admission>();
  scope.route<{ Params: WebhookParams }>({
    method: ['GET', 'POST'],
    exposeHeadRoute: false,
    url: '/v1/integrations/webhooks/:providerId/:token',
    bodyLimit: webhookMaxBytes,
    // Before the body is read: who knows no token must not make us hold megabytes.
    onRequest: async (request) => {
      const { providerId, token } = request.params;
      admissions.set(request, await receiver.admit(providerId, token, clock.now()));
    },
    handler: async (request, reply) => {
      const admission = admissions.get(request);
      if (!admission) throw new Error('a webhook is handled only after it was admitted');
      const method = request.method === 'GET' ? 'GET' : 'POST';
      const delivery = toDelivery(request, clock);
      const greeting = receiver.greet(admission, { method, ...delivery });
      if (greeting) return sendReply(reply, greeting);
      // A GET is nothing but a handshake, or somebody who looks what is here.
      if (method === 'GET') throw nothingAt(request);
      return sendReply(reply, await receiver.receive(admission, delivery));
    },
  });
}

/** Text may repeat what was sent: no browser may take it for more than text. */
function sendReply(reply: FastifyReply, { status, json, text }: WebhookReply): FastifyReply {
  void reply.code(status);
  if (json) return reply.send(json);
  if (text === undefined) return reply.send();
  return reply.header('x-content-type-options', 'nosniff').type('text/plain; charset=utf-8').send(text);
}

const EMPTY = Buffer.alloc(0);

function toDelivery(request: FastifyRequest, clock: Clock): RawDelivery {
  const { headers, body, query } = request;
  return {
    // node:http has joined repeated headers already; set-cookie, the one it keeps as a list, means nothing here.
    headers: headers as RawDelivery['headers'],
    body: Buffer.isBuffer(body) ? body : EMPTY,
    query: firstOfEach(query as Readonly<Record<string, string | readonly string[]>>),
    path: request.url.split('?', 1)[0] ?? '',
    receivedAt: clock.now(),
  };
}

function firstOfEach(
  query: Readonly<Record<string, string | readonly string[]>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : (value[0] ?? ''),
    ]),
  );
}

/** The one shape of a REST error. */
function errorBody(code: ErrorCode, message: string, details: ErrorDetails, now: Date): object {
  return { error: { code, message, details, timestamp: now.toISOString() } };
}

function sendError(
  error: FastifyError | Error,
  request: FastifyRequest,
  reply: FastifyReply,
  deps: HttpDeps,
): FastifyReply {
  const known = toTributaryError(error, request);
  if (known.code === 'INTERNAL') {
    deps.log.error({ err: error, method: request.method, path: pathOf(request), ...known.details }, 'bug');
  }
  deps.metrics.errors.inc({ api: 'http', code: known.code });
  const { retry_after_seconds: seconds } = known.details;
  if (seconds !== undefined) void reply.header('retry-after', seconds);
  const { code, message, details, status } = known;
  // What fails before GraphQL is reached still answers in the shape a GraphQL client reads.
  if (pathOf(request) === '/graphql')
    return reply.code(status).send({ errors: [{ message, extensions: { code, details } }] });
  return reply.code(status).send(errorBody(code, message, details, deps.clock.now()));
}

const FRAMEWORK_ERRORS: Readonly<Record<string, [ErrorCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['PAYLOAD_TOO_LARGE', 'The body is larger than this server takes.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['MALFORMED_REQUEST', 'The content type is not one this route takes.'],
  FST_ERR_CTP_INVALID_JSON_BODY: [
    'MALFORMED_REQUEST',
    'The body is not JSON, or names a field __proto__ or constructor.prototype, which is not taken: mend or rename it.',
  ],
};

function toTributaryError(error: FastifyError | Error, { id }: FastifyRequest): TributaryError {
  if (error instanceof TributaryError) return error;
  const callers = toCallersError(error);
  if (callers) return callers;
  const known = 'code' in error ? FRAMEWORK_ERRORS[error.code] : undefined;
  if (known) return new TributaryError(known[0], known[1]);
  // Whatever else the framework refuses before a route is reached: broken framing, bad lengths.
  if ('statusCode' in error && (error.statusCode ?? 500) < 500)
    return new TributaryError('MALFORMED_REQUEST', error.message);
  return new TributaryError('INTERNAL', 'This is a bug of ours; it has been logged.', {
    correlation_id: id,
  });
}

function nothingAt(request: FastifyRequest): TributaryError {
  return new TributaryError('NOT_FOUND', `There is nothing at ${request.method} ${pathOf(request)}.`);
}

/** Without the token, which is half a secret and has no place in a log or an answer. */
function pathOf({ url }: FastifyRequest): string {
  return (url.split('?')[0] ?? '')
    .replace(/^(\/v1\/integrations\/(webhooks\/[^/]*|oauth\/authorize)\/).*/, '$1…')
    .slice(0, 200);
}
