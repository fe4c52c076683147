import {
  type FailureCategory,
  type FailureRule,
  type FailureVocabulary,
  ProviderFailure,
  type ResetHeader,
  at,
} from '../connector/index.js';
import type { HttpError, HttpErrorKind, HttpResponse } from './client.js';

/**
 * A provider's answer that is not 2xx, as a failure in our vocabulary: its own rules first, then what the status says.
 * `mask` takes out of the provider's message what must not be seen.
 */
export function failureOfResponse(
  response: HttpResponse,
  vocabulary: FailureVocabulary,
  now: Date,
  mask: (text: string) => string = (text) => text,
): ProviderFailure {
  const rule = vocabulary.rules.find((candidate) => fits(candidate, response));
  const category = rule?.category ?? categoryOf(response.status);
  const retryAt =
    category === 'RATE_LIMIT' ? retryTime(response, vocabulary.resets, rule, now) : retryAfter(response, now);
  return new ProviderFailure({
    category,
    code: rule?.code ?? `http_${response.status}`,
    message: mask(messageOf(response, vocabulary)).slice(0, MESSAGE_LIMIT).toWellFormed(),
    providerStatus: response.status,
    ...(retryAt && { retryAt }),
    // A 5xx may come from a proxy in front of a server that did the work.
    isAmbiguous: response.status >= 500,
  });
}

const CATEGORIES: Readonly<Record<HttpErrorKind, FailureCategory>> = {
  refused: 'INVALID',
  invalid: 'INVALID',
  too_large: 'PROVIDER',
  unreachable: 'NETWORK',
  timeout: 'NETWORK',
  interrupted: 'NETWORK',
};

/** No answer at all, as a failure in our vocabulary. */
export function failureOfError(error: HttpError): ProviderFailure {
  return new ProviderFailure(
    {
      category: CATEGORIES[error.kind],
      code: error.kind,
      message: error.message,
      isAmbiguous: error.isSent,
    },
    { cause: error },
  );
}

function fits(rule: FailureRule, { status, headers, text }: HttpResponse): boolean {
  if (!rule.status.includes(status)) return false;
  const hasHeaders = Object.entries(rule.headers ?? {}).every(([name, value]) => headers[name] === value);
  return hasHeaders && (!rule.bodyContains || text.toLowerCase().includes(rule.bodyContains.toLowerCase()));
}

function categoryOf(status: number): FailureCategory {
  if (status === 401 || status === 403) return 'AUTH';
  if (status === 404 || status === 410) return 'NOT_FOUND';
  if (status === 429) return 'RATE_LIMIT';
  if (status === 408 || status === 425 || status >= 500) return 'PROVIDER';
  return status >= 400 ? 'INVALID' : 'UNKNOWN';
}

/** The longest wait of all that the answer names: a limit that is over sooner than another is no help. */
function retryTime(
  response: HttpResponse,
  resets: readonly ResetHeader[],
  rule: FailureRule | undefined,
  now: Date,
): Date | undefined {
  const named = rule?.ignoresResets ? [] : resets.map((reset) => resetTime(response, reset, now));
  const times = [retryAfter(response, now), ...named];
  const known = times.filter((time) => time !== undefined).map((time) => time.getTime());
  if (known.length === 0 && rule?.waitSeconds) known.push(now.getTime() + rule.waitSeconds * 1000);
  return known.length === 0 ? undefined : new Date(Math.max(...known));
}

/** RFC 9110 §10.2.3: seconds, or an HTTP date. */
function retryAfter({ headers }: HttpResponse, now: Date): Date | undefined {
  const value = headers['retry-after'];
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return inSeconds(Number(value), now);
  // Date.parse alone takes almost anything for a date: "1.5" would be a day in 2001.
  return /^[A-Z][a-z]{2}, /.test(value) ? validDate(Date.parse(value)) : undefined;
}

function resetTime({ headers }: HttpResponse, { header, unit }: ResetHeader, now: Date): Date | undefined {
  const value = headers[header];
  if (value === undefined || value === '') return undefined;
  if (unit === 'rfc3339') return validDate(Date.parse(value));
  const number = Number(value);
  if (unit === 'seconds') return inSeconds(number, now);
  return validDate(unit === 'epoch_seconds' ? number * 1000 : number);
}

function inSeconds(seconds: number, now: Date): Date | undefined {
  return validDate(now.getTime() + seconds * 1000);
}

function validDate(time: number): Date | undefined {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

const MESSAGE_LIMIT = 500;

function messageOf({ status, text }: HttpResponse, { message: path }: FailureVocabulary): string {
  const fallback = `The provider answered ${status}.`;
  if (!path) return fallback;
  try {
    const found = at(JSON.parse(text), ...path);
    return typeof found === 'string' && found !== '' ? found : fallback;
  } catch {
    // Error pages are often HTML: the status then says all there is.
    return fallback;
  }
}
