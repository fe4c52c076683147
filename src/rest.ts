import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Connection } from './connection/connection.entity.js';
import type { ConnectCommand } from './connection/connect.js';
import type { UpdateCommand } from './connection/update.js';
import { type ConnectionStatus, connectionStatuses } from './connection/status.js';
import type { Authenticator } from './core/auth.js';
import type { Caller, Scope } from './core/caller.js';
import { invalidInput, notFound } from './core/errors.js';
import type { Health } from './health/health.js';
import { toActionBody, toExecuteCommand } from './rest/action.js';
import { type Fields, requireObject, toCommand } from './rest/body.js';
import { requireCaller } from './rest/caller.js';
import { addReceiptRoutes } from './rest/receipts.js';
import type { Services } from './services.js';

export interface RestDeps {
  readonly services: Services;
  readonly authenticator: Authenticator;
}

type Handler = (caller: Caller, request: FastifyRequest) => Promise<{ status?: number; body: object }>;

const CONNECTIONS = '/v1/integrations/connections';

/** The REST face of the services, for callers without GraphQL: the same rules, in snake_case. */
export function addRest(app: FastifyInstance, { services, authenticator }: RestDeps): void {
  const { connections, health, actions, adapterEvents } = services;
  addReceiptRoutes(app, { services, authenticator });

  /** Every route proves who calls, then needs one scope, in this one place. */
  function route(method: 'GET' | 'POST' | 'PATCH', url: string, scope: Scope, handle: Handler): void {
    app.route({
      method,
      url,
      handler: async (request: FastifyRequest, reply: FastifyReply) => {
        const caller = await requireCaller(authenticator, request, scope);
        const { status = 200, body } = await handle(caller, request);
        return reply.code(status).send(body);
      },
    });
  }

  route('GET', CONNECTIONS, 'integrations:read', async (caller, request) => {
    const {
      provider_id: providerId,
      status,
      tag,
      first = '20',
      after,
    } = request.query as Record<string, string>;
    const filter = {
      ...(providerId !== undefined && { providerId }),
      ...(status !== undefined && { status: requireStatus(status) }),
      ...(tag !== undefined && { tag }),
    };
    const { nodes, pageInfo } = await connections.list(caller, filter, { first: Number(first), after });
    return {
      body: {
        connections: nodes.map(toConnection),
        page_info: { end_cursor: pageInfo.endCursor, has_next_page: pageInfo.hasNextPage },
      },
    };
  });

  route('POST', CONNECTIONS, 'integrations:write', async (caller, request) => {
    const { connection, webhook, authorizationUrl } = await connections.connect(
      caller,
      toCommand(request.body) as ConnectCommand,
    );
    const shownOnce = webhook && { url: webhook.url, secret: webhook.secret?.reveal() ?? null };
    return {
      status: 201,
      body: { connection: toConnection(connection), webhook: shownOnce, authorization_url: authorizationUrl },
    };
  });

  route('PATCH', `${CONNECTIONS}/:id`, 'integrations:write', async (caller, request) => {
    const command = { ...toCommand(request.body), connectionId: idOf(request) } as UpdateCommand;
    return { body: { connection: toConnection(await connections.update(caller, command)) } };
  });

  route('POST', `${CONNECTIONS}/:id/verify`, 'integrations:write', async (caller, request) => ({
    body: { connection: toConnection(await connections.verify(caller, idOf(request))) },
  }));

  route(
    'GET',
    '/internal/integrations/connections/:id/health',
    'integrations:read',
    async (caller, request) => {
      const { id } = await connections.require(caller, idOf(request));
      const found = (await health.of(caller, [id])).get(id);
      if (!found) throw notFound('connection');
      return { body: toHealth(found) };
    },
  );

  route('POST', '/internal/integrations/actions/execute', 'integrations:execute', async (caller, request) => {
    const action = await actions.execute(caller, toExecuteCommand(request.body));
    return { status: action.settledAt ? 200 : 202, body: { action: toActionBody(action) } };
  });

  route('POST', '/internal/integrations/events/normalised', 'integrations:write', async (caller, request) => {
    const appended = await adapterEvents.append(caller, requireObject(request.body));
    const body = { delivery_id: appended.deliveryId, signals: appended.signalIds };
    return { status: appended.isDuplicate ? 200 : 202, body };
  });
}

function idOf({ params }: FastifyRequest): string {
  return (params as { id: string }).id;
}

function requireStatus(text: string): ConnectionStatus {
  const status = connectionStatuses.find((known) => known === text);
  if (status) return status;
  throw invalidInput('status', `must be one of ${connectionStatuses.join(', ')}`);
}

function toConnection(connection: Connection): Fields {
  return {
    id: connection.id,
    provider_id: connection.providerId,
    name: connection.name,
    description: connection.description ?? null,
    status: connection.status,
    status_reason: connection.statusReason ?? null,
    auth_method: connection.authMethod,
    account: connection.account ?? null,
    granted_scopes: connection.grantedScopes ?? null,
    capabilities: connection.capabilities,
    settings: connection.settings,
    tags: connection.tags,
    created_at: connection.createdAt,
    updated_at: connection.updatedAt,
    verified_at: connection.verifiedAt ?? null,
  };
}

function toHealth(health: Health): Fields {
  return {
    connection_id: health.connectionId,
    status: health.status,
    last_success_at: health.lastSuccessAt,
    last_failure_at: health.lastFailureAt,
    success_rate_1h: health.successRate1h,
    requests_1h: health.requests1h,
    errors_1h: health.errors1h,
    latency_p50_ms: health.latencyP50Ms,
    latency_p95_ms: health.latencyP95Ms,
    freshness_lag_seconds: health.freshnessLagSeconds,
    recent_errors: health.recentErrors,
  };
}
