import {
  type Connector,
  type Credential,
  type JsonObject,
  type ProviderContext,
  ProviderFailure,
  type ProviderRequest,
  type ProviderResponse,
} from '../connector/index.js';
import type { Redis } from 'ioredis';
import type { Clock } from '../core/clock.js';
import type { Log } from '../core/log.js';
import type { Metrics } from '../core/metrics.js';
import { type HttpClient, HttpError, type HttpResponse } from './client.js';
import { failureOfError, failureOfResponse } from './failure.js';
import { type Limiter, createLimiter } from './limiter.js';

/** One finished call to a provider, for health, metrics and the log. Never a body, never a secret. */
export interface CallObservation {
  readonly tenantId: string;
  readonly connectionId: string;
  readonly providerId: string;
  readonly method: string;
  /** The path's template. */
  readonly path: string;
  readonly at: Date;
  readonly durationMs: number;
  readonly failure?: ProviderFailure;
}

export interface ProviderTarget {
  readonly tenantId: string;
  readonly connectionId: string;
  readonly connector: Connector;
  readonly credential: Credential;
  readonly settings: JsonObject;
  readonly correlationId: string;
}

export interface ProviderGateDeps {
  readonly client: HttpClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly baseUrls: ReadonlyMap<string, string>;
  readonly redis?: Redis | undefined;
  /** Told of every finished call. */
  readonly observe: (call: CallObservation) => void;
}

export interface ProviderGate {
  /** What a connector gets to work with: the one signed, limited, observed way to its provider. */
  contextFor(target: ProviderTarget): ProviderContext;
}

const DEADLINE_MS = 10_000;

export function createProviderGate(deps: ProviderGateDeps): ProviderGate {
  const limiters = new Map<string, readonly Limiter[]>();

  function limitersOf({ manifest }: Connector): readonly Limiter[] {
    const known = limiters.get(manifest.id);
    if (known) return known;
    const made = manifest.rateLimits.map((rule) =>
      createLimiter({ ...rule, name: `${manifest.id}:${rule.bucket}`, redis: deps.redis }),
    );
    limiters.set(manifest.id, made);
    return made;
  }

  /** Asks every declared window before the provider has to say no. */
  async function requirePoint({ connector, connectionId }: ProviderTarget): Promise<void> {
    for (const limiter of limitersOf(connector)) {
      const waitMs = await limiter.take(connectionId);
      if (waitMs === 0) continue;
      throw new ProviderFailure({
        category: 'RATE_LIMIT',
        code: 'local_limit',
        message: 'This connection has used up the calls its provider allows in this window.',
        retryAt: new Date(deps.clock.now().getTime() + waitMs),
      });
    }
  }

  async function send(target: ProviderTarget, request: ProviderRequest): Promise<ProviderResponse> {
    const { connector, credential, correlationId } = target;
    await requirePoint(target);
    const response = await deps.client
      .send({
        method: request.method,
        url: urlOf(deps.baseUrls.get(connector.manifest.id) ?? connector.manifest.baseUrl, request),
        headers: {
          ...connector.manifest.headers,
          ...(request.body !== undefined && { 'content-type': 'application/json' }),
          ...request.headers,
          ...connector.auth.sign(credential),
          'x-correlation-id': correlationId,
        },
        ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
        deadlineMs: DEADLINE_MS,
      })
      .catch((error: unknown) => {
        throw error instanceof HttpError ? failureOfError(error) : error;
      });
    if (response.status < 200 || response.status > 299) {
      const { failures } = connector.manifest;
      throw failureOfResponse(response, failures, deps.clock.now(), (text) =>
        withoutSecrets(text, credential),
      );
    }
    return toProviderResponse(response);
  }

  function record(
    target: ProviderTarget,
    request: ProviderRequest,
    startedAt: number,
    failure?: ProviderFailure,
  ): void {
    const { tenantId, connectionId, connector, correlationId } = target;
    const durationMs = performance.now() - startedAt;
    const call = {
      tenantId,
      connectionId,
      providerId: connector.manifest.id,
      method: request.method,
      path: request.path,
      at: deps.clock.now(),
      durationMs,
    };
    deps.metrics.providerCalls.inc({ provider: call.providerId, outcome: failure?.details.category ?? 'ok' });
    deps.metrics.providerSeconds.observe({ provider: call.providerId }, durationMs / 1000);
    deps.log.info({ ...call, correlationId, outcome: failure?.details.code ?? 'ok' }, 'provider call');
    deps.observe({ ...call, ...(failure && { failure }) });
  }

  return {
    contextFor: (target) => ({
      settings: target.settings,
      async request(request) {
        const startedAt = performance.now();
        try {
          const response = await send(target, request);
          record(target, request, startedAt);
          return response;
        } catch (error) {
          if (error instanceof ProviderFailure) record(target, request, startedAt, error);
          throw error;
        }
      },
    }),
  };
}

/** Some providers repeat a refused credential in their message, which is shown, stored and logged. */
function withoutSecrets(text: string, credential: Credential): string {
  return Object.values(credential)
    .map((secret) => secret.reveal())
    .filter((value) => value !== '')
    .reduce((masked, value) => masked.replaceAll(value, '[secret]'), text);
}

/** Fills the template. A value can't leave its segment: `/`, `?` and `..` are encoded or refused. */
function urlOf(baseUrl: string, { path, params = {}, query = {} }: ProviderRequest): URL {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => segment(name, params[name]));
  const url = new URL(baseUrl + filled);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}

function segment(name: string, value: string | number | undefined): string {
  const text = String(value ?? '');
  if (text === '' || text === '.' || text === '..' || !text.isWellFormed()) {
    throw new ProviderFailure({
      category: 'INVALID',
      code: 'invalid_path',
      message: `${name} can’t be a part of an address.`,
    });
  }
  return encodeURIComponent(text);
}

function toProviderResponse({ status, headers, text }: HttpResponse): ProviderResponse {
  if (text === '') return { status, headers, body: undefined };
  if (!/\bjson\b/i.test(headers['content-type'] ?? '')) return { status, headers, body: text };
  try {
    return { status, headers, body: JSON.parse(text) as unknown };
  } catch (error) {
    throw new ProviderFailure(
      {
        category: 'PROVIDER',
        code: 'unreadable_answer',
        message: 'The provider promised JSON and sent something else.',
        providerStatus: status,
        isAmbiguous: true,
      },
      { cause: error },
    );
  }
}
