import { ProviderFailure, type ProviderRequest, type ProviderResponse } from '../connector/index.js';
import type { HttpResponse } from './client.js';
import { Refusal } from './refusal.js';

/**
 * Some providers repeat what they refuse in their message, which is shown, stored and logged: as it came, or in a form
 * that it had on the way. The longest goes first, since one may be a part of another.
 */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets
    .flatMap((secret) => [secret, ...formsOf(secret)])
    .filter((form) => form !== '')
    .toSorted((one, other) => other.length - one.length)
    .reduce((masked, form) => masked.replaceAll(form, '[secret]'), text);
}

/** In so few characters a form is found by chance. */
const SHORTEST_FORM = 8;

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const forms = [encodeURIComponent(secret.toWellFormed()), bytes.toString('hex')];
  // Base64 says three bytes in four characters: how the secret looks depends on how many bytes stand before it.
  for (const [before, shared] of [0, 2, 3].entries()) {
    const whole = Math.floor(((before + bytes.length) * 4) / 3);
    const behind = Buffer.concat([Buffer.alloc(before), bytes]);
    for (const encoding of ['base64', 'base64url'] as const)
      forms.push(behind.toString(encoding).slice(shared, whole));
  }
  return forms.filter(({ length }) => length >= SHORTEST_FORM);
}

/** What it sends is there but once: a second try would send the rest of it, or nothing. */
export function isSentOnce({ bytes }: ProviderRequest): boolean {
  return bytes !== undefined && typeof bytes !== 'function';
}

/**
 * Fills the template. A value can't leave its segment: `/`, `?` and `..` are encoded or refused. Nor can the path leave the
 * base URL, however its dots are written.
 */
export function urlOf(baseUrl: string, { path, params = {}, query = {} }: ProviderRequest): URL {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => segment(name, params[name]));
  if (hasDotSegment(filled))
    throw invalidPath('The path of a request can’t have "." or ".." between its slashes.');
  const url = new URL(baseUrl + filled);
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) for (const one of value) url.searchParams.append(name, String(one));
    else if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}

/** As URLs are read (https://url.spec.whatwg.org/#path-state): `%2e` is a dot, `\` a slash, and tabs and line breaks are nothing. */
function hasDotSegment(path: string): boolean {
  const [place = ''] = path.replaceAll(/[\t\n\r]/g, '').split(/[?#]/, 1);
  return place.split(/[/\\]/).some((part) => /^(\.|%2e){1,2}$/i.test(part));
}

function segment(name: string, value: string | number | undefined): string {
  const text = String(value ?? '');
  if (text === '' || text === '.' || text === '..' || !text.isWellFormed()) {
    throw invalidPath(`${name} can’t be a part of an address.`);
  }
  return encodeURIComponent(text);
}

function invalidPath(message: string): Refusal {
  return new Refusal({ guard: 'address', category: 'INVALID', code: 'invalid_path', message });
}

/** The answer with its body parsed; a failure where the body is not what it calls itself. */
export function toProviderResponse({
  status,
  headers,
  text,
}: HttpResponse): ProviderResponse | ProviderFailure {
  if (text === '') return { status, headers, body: undefined };
  if (!/\bjson\b/i.test(headers['content-type'] ?? '')) return { status, headers, body: text };
  try {
    return { status, headers, body: JSON.parse(text) as unknown };
  } catch (error) {
    return new ProviderFailure(
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
