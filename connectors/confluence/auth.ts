import { type Auth, type ProviderContext, ProviderFailure, textAt } from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';
import { type Site, findSite, settingsOf, siteOf } from './site.js';

const UNAUTHORIZED = 401;

/**
 * Tokens of OAuth as Bearer; API tokens as Basic, with the address of whoever made them.
 * https://developer.atlassian.com/cloud/confluence/basic-auth-for-rest-apis/
 */
export const auth: Auth = {
  sign({ accessToken, email, apiToken }) {
    if (accessToken) return { authorization: `Bearer ${accessToken.reveal()}` };
    const pair = `${email?.reveal() ?? ''}:${apiToken?.reveal() ?? ''}`;
    return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
  },

  /** By an address that has no answer for nobody. */
  async identify(context) {
    const site = await chooseSite(context);
    const response = await site.request({ method: 'GET', path: '/wiki/rest/api/user/current' });
    const [id, name] = ['accountId', 'displayName'].map((field) => textAt(response.body, field));
    if (!id || !name) throw unexpectedAnswer(response, 'the account', { isAmbiguous: false });
    const settings = settingsOf(site);
    return {
      account: { id, name, ...(site.url && { url: site.url }) },
      grantedScopes: site.grantedScopes,
      ...(settings && { settings }),
    };
  },
};

/** What a grant is for now, whatever it was for when the settings were found out. */
async function chooseSite(context: ProviderContext): Promise<Site> {
  if (textAt(context.settings, 'baseUrl')) return siteOf(context);
  try {
    return await findSite(context);
  } catch (error) {
    // An API token can't ask what it is for. Where a setting names its site, what the site says of it decides.
    const isRefused = error instanceof ProviderFailure && error.details.providerStatus === UNAUTHORIZED;
    if (isRefused && textAt(context.settings, 'cloudId')) return siteOf(context);
    throw error;
  }
}
