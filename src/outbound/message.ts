import {
  type Credential,
  ProviderFailure,
  type ProviderRequest,
  type ProviderResponse,
} from '../connector/index.js';
import type { HttpResponse } from './client.js';
import { Refusal } from './refusal.js';

/** Some providers repeat a refused credential in their message, which is shown, stored and logged. */
export function withoutSecrets(text: string, credential: Credential): string {
  return Object.values(credential)
    .map((secret) => secret.reveal())
    .filter((value) => value !== '')
    .reduce((masked, value) => masked.replaceAll(value, '[secret]'), text);
}

/** Fills the template. A value can't leave its segment: `/`, `?` and `..` are encoded or refused. */
export function urlOf(baseUrl: string, { path, params = {}, query = {} }: ProviderRequest): URL {
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
    throw new Refusal({
      guard: 'address',
      category: 'INVALID',
      code: 'invalid_path',
      message: `${name} can’t be a part of an address.`,
    });
  }
  return encodeURIComponent(text);
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
