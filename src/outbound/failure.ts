import {
  type FailureCategory,
  type FailureRule,
  type FailureVocabulary,
  ProviderFailure,
  type ResetHeader,
  at,
  isObject,
} from '../connector/index.js';
import { HttpError, type HttpErrorKind, type HttpResponse } from './client.js';

/** Whether an answer is a failure: every one that is not 2xx, and a 2xx that a rule of the provider's names. */
export function isFailure(response: HttpResponse, { rules }: FailureVocabulary): boolean {
  const isSuccess = response.status >= 200 && response.status <= 299;
  return !isSuccess || findRule(rules, response) !== undefined;
}

/**
 * A provider's failed answer as a failure in our vocabulary: its own rules first, then what the status says.
 * `mask` takes out of the provider's message what must not be seen.
 */
export function failureOfResponse(
  response: HttpResponse,
  vocabulary: FailureVocabulary,
  now: Date,
  mask: (text: string) => string = (text) => text,
): ProviderFailure {
  const rule = findRule(vocabulary.rules, response);
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
    isAmbiguous: rule?.isAmbiguous ?? (response.status >= 500 && !rule?.isRefusal),
    ...(rule?.isCredentialRefused && { isCredentialRefused: true }),
  });
}

const CATEGORIES: Readonly<Record<HttpErrorKind, FailureCategory>> = {
  refused: 'INVALID',
  invalid: 'INVALID',
  too_large: 'PROVIDER',
  unreachable: 'NETWORK',
  timeout: 'NETWORK',
  interrupted: 'NETWORK',
  // Ours to decide: it says nothing of the line.
  cancelled: 'UNKNOWN',
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

/** Whoever called did not wait for the end: that says nothing of the provider, neither good nor bad. */
export function isGivenUp({ cause }: ProviderFailure): boolean {
  return cause instanceof HttpError && cause.kind === 'cancelled';
}

/** The first rule that fits. The text is parsed once, and only where a rule for this status asks for it. */
function findRule(rules: readonly FailureRule[], response: HttpResponse): FailureRule | undefined {
  const candidates = rules.filter(({ status }) => status.includes(response.status));
  const body = candidates.some(({ bodyHas }) => bodyHas) ? parse(response.text) : undefined;
  return candidates.find((rule) => fits(rule, response, body));
}

function fits({ headers = {}, bodyContains, bodyHas }: FailureRule, response: HttpResponse, body: unknown) {
  const hasHeaders = Object.entries(headers).every(([name, value]) => response.headers[name] === value);
  const contains = !bodyContains || response.text.toLowerCase().includes(bodyContains.toLowerCase());
  return hasHeaders && contains && (!bodyHas || at(body, ...bodyHas.path) === bodyHas.value);
}

/** Undefined for what is no JSON: error pages are often HTML. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
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
export function retryAfter({ headers }: Pick<HttpResponse, 'headers'>, now: Date): Date | undefined {
  const value = headers['retry-after'];
  if (value === undefined) return undefined;
  return /^\d+$/.test(value) ? inMilliseconds(Number(value) * 1000, now) : httpDate(value);
}

/** When a limit is over by what one header tells. Undefined when the header is missing or can't be read. */
export function resetTime(
  { headers }: Pick<HttpResponse, 'headers'>,
  { header, unit, byDateHeader }: ResetHeader,
  now: Date,
): Date | undefined {
  const value = headers[header];
  if (value === undefined || value === '') return undefined;
  switch (unit) {
    case 'seconds':
      return inMilliseconds(Number(value) * 1000, now);
    case 'milliseconds':
      return inMilliseconds(Number(value), now);
    case 'duration':
      return inMilliseconds(toMilliseconds(value), now);
    default: {
      const time = toTime(value, unit);
      const theirs = byDateHeader ? httpDate(headers['date'] ?? '') : undefined;
      return time && theirs ? inMilliseconds(time.getTime() - theirs.getTime(), now) : time;
    }
  }
}

function toTime(
  value: string,
  unit: 'epoch_seconds' | 'epoch_milliseconds' | 'rfc3339' | 'http_date',
): Date | undefined {
  if (unit === 'http_date') return httpDate(value);
  if (unit === 'rfc3339') return validDate(Date.parse(value));
  return validDate(unit === 'epoch_seconds' ? Number(value) * 1000 : Number(value));
}

/** Date.parse alone takes almost anything for a date: "1.5" would be a day in 2001. */
function httpDate(value: string): Date | undefined {
  return /^[A-Z][a-z]{2}, /.test(value) ? validDate(Date.parse(value)) : undefined;
}

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/** NaN for what is no duration. */
function toMilliseconds(duration: string): number {
  if (!/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(duration)) return NaN;
  const parts = [...duration.matchAll(/([\d.]+)(h|ms|m|s)/g)];
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNIT_MS[unit ?? ''] ?? NaN), 0);
}

function inMilliseconds(milliseconds: number, now: Date): Date | undefined {
  return validDate(now.getTime() + milliseconds);
}

function validDate(time: number): Date | undefined {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

const MESSAGE_LIMIT = 500;

function messageOf({ status, text }: HttpResponse, { message, fieldMessages }: FailureVocabulary): string {
  const body = message || fieldMessages ? parse(text) : undefined;
  const said = message ? at(body, ...message) : undefined;
  const told = [
    ...(typeof said === 'string' && said !== '' ? [said] : []),
    ...(fieldMessages ? fieldsOf(at(body, ...fieldMessages)) : []),
  ];
  return told.join(' ') || `The provider answered ${status}.`;
}

function fieldsOf(messages: unknown): readonly string[] {
  if (!isObject(messages)) return [];
  return Object.entries(messages).flatMap(([field, text]) =>
    typeof text === 'string' ? [`${field}: ${text}`] : [],
  );
}
