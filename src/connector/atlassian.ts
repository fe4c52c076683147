import { isProviderFailure, unexpectedAnswerOf } from './answer.js';
import type { Auth } from './connector.js';
import type { ProviderContext, ProviderRequest, ProviderResponse } from './context.js';
import { ProviderFailure } from './failure.js';
import { type JsonObject, listAt, textAt } from './json.js';

// What products of Atlassian's cloud have in common: accounts, consents, and the gateway. It is here because connectors
// share no code with each other.

/** One product of Atlassian's cloud. */
export interface AtlassianProduct {
  readonly name: string;
  /** Its word in scopes and in the paths of the gateway: `jira`. */
  readonly word: string;
  /** Answers the account whose credential it is, and nothing to nobody. */
  readonly accountPath: string;
}

/** Where a connection's site is, and the way to it. */
export interface AtlassianSite {
  /** As people open it: https://acme.atlassian.net. Undefined where nobody has told. */
  readonly url: string | undefined;
  /** Undefined on the site's own address, which only API tokens may use. */
  readonly cloudId: string | undefined;
  /** Of an OAuth grant; undefined where it was not asked for. */
  readonly grantedScopes: readonly string[] | undefined;
  /** Paths are those of the product itself: `/rest/api/3/myself`. */
  request(request: ProviderRequest): Promise<ProviderResponse>;
}

export interface AtlassianSites {
  /**
   * API tokens are good at the site's own address, tokens of OAuth at Atlassian's gateway, and neither at the other place:
   * the setting `baseUrl` chooses. At the gateway a site goes by its `cloudId`, which is looked up where no setting names it.
   */
  siteOf(context: ProviderContext): Promise<AtlassianSite>;
  /** The site that an OAuth grant is for. Throws ProviderFailure when that is none, or several and no setting chooses. */
  findSite(context: ProviderContext): Promise<AtlassianSite>;
  /** A site by its id, which nobody has looked up. */
  atGateway(context: Pick<ProviderContext, 'request'>, cloudId: string): AtlassianSite;
}

interface Resource {
  readonly id: string;
  readonly url: string | undefined;
  readonly scopes: readonly string[];
}

const UNAUTHORIZED = 401;

/** The ways to one product. https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/ */
export function createAtlassianSites({ name, word }: AtlassianProduct): AtlassianSites {
  const unexpectedAnswer = unexpectedAnswerOf(name);

  function atGateway(
    { request }: Pick<ProviderContext, 'request'>,
    cloudId: string,
    { url, scopes }: Partial<Omit<Resource, 'id'>> = {},
  ): AtlassianSite {
    return {
      url,
      cloudId,
      grantedScopes: scopes,
      request: (asked) =>
        request({
          ...asked,
          path: `/ex/${word}/{cloudId}${asked.path}`,
          params: { ...asked.params, cloudId },
        }),
    };
  }

  async function findSite(context: ProviderContext): Promise<AtlassianSite> {
    const wanted = textAt(context.settings, 'cloudId');
    const all = await resourcesOf(context);
    const found = wanted ? all.filter(({ id }) => id === wanted) : all;
    const [site, another] = found;
    if (!site) throw noSite(name, wanted);
    if (another) throw severalSites(found);
    return atGateway(context, site.id, site);
  }

  /** What a grant is for, a site each. */
  async function resourcesOf({ request }: ProviderContext): Promise<readonly Resource[]> {
    const response = await request({ method: 'GET', path: '/oauth/token/accessible-resources' });
    if (!Array.isArray(response.body)) {
      throw unexpectedAnswer(response, 'a list of sites', { isAmbiguous: false });
    }
    const all = response.body.map((entry: unknown) => {
      const id = textAt(entry, 'id');
      if (!id) throw unexpectedAnswer(response, 'the id of a site', { isAmbiguous: false });
      const scopes = listAt(entry, 'scopes').filter((scope) => typeof scope === 'string');
      return { id, url: textAt(entry, 'url'), scopes };
    });
    // The same site may be there once for each product.
    return all.filter(({ id, scopes }, index) => {
      const isOurs = scopes.some((scope) => scope.includes(word));
      return isOurs || !all.some((other, at) => other.id === id && at !== index);
    });
  }

  return {
    findSite,
    atGateway: (context, cloudId) => atGateway(context, cloudId),
    async siteOf(context) {
      const { settings, request } = context;
      const baseUrl = textAt(settings, 'baseUrl');
      if (baseUrl) return { url: baseUrl, cloudId: undefined, grantedScopes: undefined, request };
      const cloudId = textAt(settings, 'cloudId');
      if (!cloudId) return findSite(context);
      return atGateway(context, cloudId, { url: textAt(settings, 'siteUrl') });
    },
  };
}

/**
 * Tokens of OAuth as Bearer; API tokens as Basic, with the address of whoever made them.
 * https://developer.atlassian.com/cloud/jira/platform/basic-auth-for-rest-apis/
 */
export function createAtlassianAuth({ name, accountPath }: AtlassianProduct, sites: AtlassianSites): Auth {
  return {
    sign({ accessToken, email, apiToken }) {
      if (accessToken) return { authorization: `Bearer ${accessToken.reveal()}` };
      const pair = `${email?.reveal() ?? ''}:${apiToken?.reveal() ?? ''}`;
      return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
    },

    /** Always by `accountPath`: other addresses may answer a wrong API token as if nobody had sent one. */
    async identify(context) {
      const site = await chooseSite(context, sites);
      const response = await site.request({ method: 'GET', path: accountPath });
      const [id, title] = ['accountId', 'displayName'].map((field) => textAt(response.body, field));
      if (!id || !title) {
        throw unexpectedAnswerOf(name)(response, 'the account', { isAmbiguous: false });
      }
      const settings = settingsOf(site);
      return {
        account: { id, name: title, ...(site.url && { url: site.url }) },
        grantedScopes: site.grantedScopes,
        ...(settings && { settings }),
      };
    },
  };
}

/** What a grant is for today, whatever it was for when the settings were found out. */
async function chooseSite(
  context: ProviderContext,
  { siteOf, findSite }: AtlassianSites,
): Promise<AtlassianSite> {
  if (textAt(context.settings, 'baseUrl')) return siteOf(context);
  try {
    return await findSite(context);
  } catch (error) {
    // An API token can't ask what it is for. Where a setting names its site, what the site says of it decides.
    const isRefused = isProviderFailure(error, { providerStatus: UNAUTHORIZED });
    if (isRefused && textAt(context.settings, 'cloudId')) return siteOf(context);
    throw error;
  }
}

/** What later calls need not look up again, as settings. */
function settingsOf({ cloudId, url }: AtlassianSite): JsonObject | undefined {
  return cloudId === undefined ? undefined : { cloudId, ...(url && { siteUrl: url }) };
}

function noSite(product: string, wanted: string | undefined): ProviderFailure {
  return new ProviderFailure({
    category: 'AUTH',
    code: 'no_site',
    message: wanted
      ? `This authorization is not for the site ${wanted}. Authorize again and choose it, or mend the setting cloudId.`
      : `This authorization is for no ${product} site. Authorize again and choose one.`,
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
