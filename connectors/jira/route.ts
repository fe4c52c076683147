import { listAt, textAt } from '../../src/connector/index.js';
import type { Site } from './site.js';

/** Where a body of Jira's may say by its own address which site it is of. */
const ADDRESSES = [
  ['issue', 'self'],
  ['comment', 'self'],
  ['user', 'self'],
  ['issue', 'fields', 'project', 'self'],
] as const;
const GATEWAY = /^https:\/\/api\.atlassian\.com\/ex\/jira\/([A-Za-z0-9-]+)\//;

/** Between a site and the number of a webhook there. */
export const SEPARATOR = '#';

/**
 * How a webhook of an app goes by: its id is good at its site only, and a body names the site by address or by id,
 * which is not documented. So it goes by either.
 */
export function routesAt({ cloudId, url }: Pick<Site, 'cloudId' | 'url'>, id: string): readonly string[] {
  const host = url === undefined ? undefined : hostOf(url);
  return [cloudId, host].filter((place) => place !== undefined).map((place) => `${place}${SEPARATOR}${id}`);
}

/** Which of an app's webhooks a delivery is for; none where its body does not say of which site it is. */
export function routesOf(body: unknown): readonly string[] {
  const address = ADDRESSES.map((path) => textAt(body, ...path)).find((found) => found !== undefined);
  const place = address === undefined ? undefined : placeOf(address);
  if (place === undefined) return [];
  return listAt(body, 'matchedWebhookIds').flatMap((given) => {
    const id = textAt({ given }, 'given');
    return id === undefined ? [] : [`${place}${SEPARATOR}${id}`];
  });
}

function placeOf(address: string): string | undefined {
  return GATEWAY.exec(address)?.[1] ?? hostOf(address);
}

function hostOf(address: string): string | undefined {
  return URL.canParse(address) ? new URL(address).host : undefined;
}
