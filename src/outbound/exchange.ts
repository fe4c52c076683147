import {
  ProviderFailure,
  type ProviderRequest,
  type ProviderResponse,
  versionHeaders,
} from '../connector/index.js';
import type { Clock } from '../core/clock.js';
import { SpanKind, annotate, inSpan } from '../core/trace.js';
import { type HttpClient, HttpError, type HttpRequest, type HttpResponse } from './client.js';
import { failureOfError, failureOfResponse, isFailure } from './failure.js';
import { toProviderResponse, withoutSecrets } from './message.js';
import type { ProviderTarget } from './target.js';

/** What came of sending: the response or the failure, and the headers where there was an answer. */
export interface Outcome {
  readonly headers?: Readonly<Record<string, string>>;
  readonly result: ProviderResponse | ProviderFailure;
  /** Of an answer that is still being read: why it did not come to its end, if it did not. See isGivenUp. */
  readonly ended?: Promise<ProviderFailure | undefined>;
}

export interface ExchangeDeps {
  readonly client: HttpClient;
  readonly clock: Clock;
}

/** Signs, sends once and reads the answer. Whatever the provider does is an outcome; only a bug of ours throws. */
export function exchange(
  deps: ExchangeDeps,
  target: ProviderTarget,
  url: URL,
  request: ProviderRequest,
  deadlineMs: number,
): Promise<Outcome> {
  const options = { kind: SpanKind.CLIENT, attributes: attributesOf(target, url, request) };
  return inSpan(`${request.method} ${request.path}`, options, async () => {
    const outcome = await sendOnce(deps, target, url, request, deadlineMs);
    const { result } = outcome;
    const isFailed = result instanceof ProviderFailure;
    const status = isFailed ? result.details.providerStatus : result.status;
    annotate({ 'http.response.status_code': status }, isFailed ? result.details.code : undefined);
    return outcome;
  });
}

/** The template of the path and never the path: what fills it may be anybody's name. */
function attributesOf(
  { connectionId, connector, correlationId }: ProviderTarget,
  { hostname }: URL,
  { method, path }: ProviderRequest,
) {
  return {
    'http.request.method': method,
    'url.template': path,
    'server.address': hostname,
    'tributary.provider': connector.manifest.id,
    'tributary.connection_id': connectionId,
    'tributary.correlation_id': correlationId,
  };
}

async function sendOnce(
  { client, clock }: ExchangeDeps,
  target: ProviderTarget,
  url: URL,
  request: ProviderRequest,
  deadlineMs: number,
): Promise<Outcome> {
  const { connector, credential, correlationId } = target;
  try {
    const answer = await client.send({
      method: request.method,
      url,
      headers: {
        ...connector.manifest.headers,
        ...versionHeaders(connector.manifest, target.settings),
        ...contentTypeOf(request),
        ...request.headers,
        ...connector.auth.sign(credential),
        'x-correlation-id': correlationId,
      },
      ...bodyOf(request),
      ...(request.stream && { stream: { idleMs: IDLE_MS, ...request.stream } }),
      signal: request.signal,
      deadlineMs,
    });
    const { headers, status, open } = answer;
    if (open) {
      const ended = open.ended.then((error) => error && failureOfError(error));
      return { headers, result: { status, headers, body: toProviderBytes(open.bytes) }, ended };
    }
    return { headers, result: read(target, request, answer, clock.now()) };
  } catch (error) {
    if (error instanceof HttpError) return { result: failureOfError(error) };
    throw error;
  }
}

const IDLE_MS = 30_000;

function contentTypeOf({ body, bytes }: ProviderRequest): Readonly<Record<string, string>> {
  if (bytes) return { 'content-type': 'application/octet-stream' };
  return body === undefined ? {} : { 'content-type': 'application/json' };
}

function bodyOf({ body, bytes }: ProviderRequest): Pick<HttpRequest, 'body'> {
  if (bytes) return { body: typeof bytes === 'function' ? bytes() : bytes };
  return body === undefined ? {} : { body: JSON.stringify(body) };
}

async function* toProviderBytes(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (error) {
    throw error instanceof HttpError ? failureOfError(error) : error;
  }
}

function read(
  target: ProviderTarget,
  request: ProviderRequest,
  answer: HttpResponse,
  now: Date,
): ProviderResponse | ProviderFailure {
  const { failures } = target.connector.manifest;
  if (isUnchanged(request, answer) || !isFailure(answer, failures)) return toProviderResponse(answer);
  const secrets = secretsOf(target, request);
  return failureOfResponse(answer, failures, now, (text) => withoutSecrets(text, secrets));
}

/** RFC 9110 §15.4.5: an answer only to a request that asked on a condition. */
function isUnchanged({ headers = {} }: ProviderRequest, { status }: HttpResponse): boolean {
  return status === 304 && headers['if-none-match'] !== undefined;
}

/** What the request carried that nobody may see: what signs it, and what it is there to tell. */
function secretsOf({ credential, told = {} }: ProviderTarget, { headers = {} }: ProviderRequest): string[] {
  const known = [...Object.values(credential), ...Object.values(told)].map((secret) => secret.reveal());
  // An app that proves itself has signed with what only this request holds.
  const proof = headers['authorization']?.split(' ').at(-1);
  return proof === undefined ? known : [...known, proof];
}
