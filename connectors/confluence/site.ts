import {
  type JsonObject,
  type ProviderContext,
  ProviderFailure,
  type ProviderRequest,
  type ProviderResponse,
  listAt,
  textAt,
} from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';

/**
 * Where a connection's Confluence is, and the way to it. Jira's connector has the same: connectors share no code, so that each
 * can be changed and taken away by itself.
 */
export interface Site {
  /** As people open it: https://acme.atlassian.net. Undefined where nobody has told. */
  readonly url: string | undefined;
  /** Undefined on the site's own address, which only API tokens may use. */
  readonly cloudId: string | undefined;
  /** Of an OAuth grant; undefined where it was not asked for. */
  readonly grantedScopes: readonly string[] | undefined;
  /** Paths are those of Confluence itself: `/wiki/api/v2/pages`. */
  request(request: ProviderRequest): Promise<ProviderResponse>;
}

interface Resource {
  readonly id: string;
  readonly url: string | undefined;
  readonly scopes: readonly string[];
}

/**
 * API tokens are good at the site's own address, tokens of OAuth at Atlassian's gateway, and neither at the other place:
 * the setting `baseUrl` chooses. At the gateway a site goes by its `cloudId`, which is looked up where no setting names it.
 */
export async function siteOf(context: ProviderContext): Promise<Site> {
  const { settings, request } = context;
  const baseUrl = textAt(settings, 'baseUrl');
  if (baseUrl) return { url: baseUrl, cloudId: undefined, grantedScopes: undefined, request };
  const cloudId = textAt(settings, 'cloudId');
  if (!cloudId) return findSite(context);
  return atGateway(context, cloudId, textAt(settings, 'siteUrl'), undefined);
}

/** The site that an OAuth grant is for. Throws ProviderFailure when that is none, or several and no setting chooses. */
export async function findSite(context: ProviderContext): Promise<Site> {
  const wanted = textAt(context.settings, 'cloudId');
  const all = await resourcesOf(context);
  const found = wanted ? all.filter(({ id }) => id === wanted) : all;
  const [site, another] = found;
  if (!site) throw noSite(wanted);
  if (another) throw severalSites(found);
  return atGateway(context, site.id, site.url, site.scopes);
}

/** https://developer.atlassian.com/cloud/confluence/oauth-2-3lo-apps/: what a grant is for, a site each. */
async function resourcesOf({ request }: ProviderContext): Promise<readonly Resource[]> {
  const response = await request({ method: 'GET', path: '/oauth/token/accessible-resources' });
  if (!Array.isArray(response.body))
    throw unexpectedAnswer(response, 'a list of sites', { isAmbiguous: false });
  const all = response.body.map((entry: unknown) => {
    const id = textAt(entry, 'id');
    if (!id) throw unexpectedAnswer(response, 'the id of a site', { isAmbiguous: false });
    const scopes = listAt(entry, 'scopes').filter((scope) => typeof scope === 'string');
    return { id, url: textAt(entry, 'url'), scopes };
  });
  // The same site may be there once for each product.
  return all.filter(({ id, scopes }, index) => {
    const isOurs = scopes.some((scope) => scope.includes('confluence'));
    return isOurs || !all.some((other, at) => other.id === id && at !== index);
  });
}

function atGateway(
  { request }: ProviderContext,
  cloudId: string,
  url: string | undefined,
  grantedScopes: readonly string[] | undefined,
): Site {
  return {
    url,
    cloudId,
    grantedScopes,
    request: (asked) =>
      request({
        ...asked,
        path: `/ex/confluence/{cloudId}${asked.path}`,
        params: { ...asked.params, cloudId },
      }),
  };
}

/** What later calls need not look up again, as settings. */
export function settingsOf({ cloudId, url }: Site): JsonObject | undefined {
  return cloudId === undefined ? undefined : { cloudId, ...(url && { siteUrl: url }) };
}

function noSite(wanted: string | undefined): ProviderFailure {
  return new ProviderFailure({
    category: 'AUTH',
    code: 'no_site',
    message: wanted
      ? `This authorization is not for the site ${wanted}. Authorize again and choose it, or mend the setting cloudId.`
      : 'This authorization is for no Confluence site. Authorize again and choose one.',
    isAmbiguous: false,
  });
}

function severalSites(sites: readonly Resource[]): ProviderFailure {
  const names = sites.map(({ id, url }) => `${id} (${url ?? 'no address'})`).slice(0, 20);
  return new ProviderFailure({
    category: 'INVALID',
    code: 'several_sites',
    message: `This authorization is for several sites. Set cloudId to one of them: ${names.join(', ')}.`,
    isAmbiguous: false,
  });
}
