import { type JsonObject, textAt } from './json.js';
import type { Manifest } from './manifest.js';

/** https and a host, perhaps with a port and a path: no credentials, no query, no slash at the end. */
export const BASE_URL_PATTERN =
  '^https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$';

/** The setting `baseUrl`, for the `properties` of a settingsSchema. */
export function baseUrlSetting(product: string) {
  return {
    type: 'string',
    maxLength: 255,
    pattern: BASE_URL_PATTERN,
    description: `Where your ${product} is, as people open it: "https://git.example.com". It must be reachable from here. Left out: the provider’s own service.`,
  } as const;
}

/** The address that people open, where a connection names one. Undefined: the provider's own service. */
export function selfManagedUrl({ selfManaged }: Manifest, settings: JsonObject): string | undefined {
  return selfManaged && textAt(settings, 'baseUrl');
}

/** Where the API is for a connection with these settings. */
export function apiUrlOf(manifest: Manifest, settings: JsonObject): string {
  const url = selfManagedUrl(manifest, settings);
  return url === undefined ? manifest.baseUrl : `${url}${manifest.selfManaged?.apiPath ?? ''}`;
}
