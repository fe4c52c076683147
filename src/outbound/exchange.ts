import type { ProviderFailure, ProviderRequest, ProviderResponse } from '../connector/index.js';
import type { Clock } from '../core/clock.js';
import { type HttpClient, HttpError, type HttpResponse } from './client.js';
import { failureOfError, failureOfResponse, isFailure } from './failure.js';
import { toProviderResponse, withoutSecrets } from './message.js';
import type { ProviderTarget } from './target.js';

/** What came of sending: the response or the failure, and the headers where there was an answer. */
export interface Outcome {
  readonly headers?: Readonly<Record<string, string>>;
  readonly result: ProviderResponse | ProviderFailure;
}

export interface ExchangeDeps {
  readonly client: HttpClient;
  readonly clock: Clock;
}

/** Signs, sends once and reads the answer. Whatever the provider does is an outcome; only a bug of ours throws. */
export async function exchange(
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
        ...(request.body !== undefined && { 'content-type': 'application/json' }),
        ...request.headers,
        ...connector.auth.sign(credential),
        'x-correlation-id': correlationId,
      },
      ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
      deadlineMs,
    });
    return { headers: answer.headers, result: read(target, request, answer, clock.now()) };
  } catch (error) {
    if (error instanceof HttpError) return { result: failureOfError(error) };
    throw error;
  }
}

function read(
  target: ProviderTarget,
  request: ProviderRequest,
  answer: HttpResponse,
  now: Date,
): ProviderResponse | ProviderFailure {
  const { failures } = target.connector.manifest;
  if (!isFailure(answer, failures)) return toProviderResponse(answer);
  const secrets = secretsOf(target, request);
  return failureOfResponse(answer, failures, now, (text) => withoutSecrets(text, secrets));
}

/** What the request carried that nobody may see: what signs it, and what it is there to tell. */
function secretsOf({ credential, told = {} }: ProviderTarget, { headers = {} }: ProviderRequest): string[] {
  const known = [...Object.values(credential), ...Object.values(told)].map((secret) => secret.reveal());
  // An app that proves itself has signed with what only this request holds.
  const proof = headers['authorization']?.split(' ').at(-1);
  return proof === undefined ? known : [...known, proof];
}
