import {
  type Auth,
  type ProviderContext,
  type ProviderFailure,
  type ProviderIdentity,
  type ProviderResponse,
  at,
  isObject,
  isProviderFailure,
  textAt,
} from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';

/** Personal access tokens, those of OAuth and those of an App's installation, all as Bearer. https://docs.github.com/en/rest/authentication */
export const auth: Auth = {
  sign: ({ token, accessToken }) => ({ authorization: `Bearer ${(accessToken ?? token)?.reveal() ?? ''}` }),

  /** https://docs.github.com/en/rest/users/users#get-the-authenticated-user: needs no scope. */
  async identify(context) {
    try {
      const response = await context.request({ method: 'GET', path: '/user' });
      const account = toAccount(response, response.body);
      return {
        account,
        // A person may see what an App is told of the person's own repositories, and not of an organization's.
        appAccount: account.id,
        grantedScopes: scopesOf(response.headers['x-oauth-scopes']),
      };
    } catch (error) {
      // An installation's token is no user's; what tells it from a token that is refused is that it may ask this.
      if (!isProviderFailure(error, { providerStatus: 403 })) throw error;
      return identifyInstallation(context, error);
    }
  },

  /**
   * https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app: the App signs for itself, for
   * ten minutes at most, and gets a token of the installation that is good for an hour.
   */
  async issue({ request, signJwt }, { appId, installationId, privateKey }) {
    if (!appId || !installationId || !privateKey) throw new Error('a GitHub App needs all three fields');
    const jwt = await signJwt({
      issuer: appId.reveal(),
      algorithm: 'RS256',
      privateKey,
      issuedSecondsAgo: 60,
      lifeSeconds: 540,
    });
    const response = await request({
      method: 'POST',
      path: '/app/installations/{installation_id}/access_tokens',
      params: { installation_id: installationId.reveal() },
      headers: { authorization: `Bearer ${jwt}` },
    });
    const [token, expiresAt] = ['token', 'expires_at'].map((field) => textAt(response.body, field));
    if (!token) throw unexpectedAnswer(response, 'a token', { isAmbiguous: false });
    return { accessToken: token, expiresAt: expiresAt ? new Date(expiresAt) : null };
  },

  /**
   * https://docs.github.com/en/rest/apps/oauth-applications#delete-an-app-token: this token and no other. Ending the whole
   * authorization would end other connections of the same account as well.
   */
  async revoke({ request }, { clientId, clientSecret, tokens }) {
    const proof = Buffer.from(`${clientId}:${clientSecret.reveal()}`).toString('base64');
    try {
      await request({
        method: 'DELETE',
        path: '/applications/{client_id}/token',
        params: { client_id: clientId },
        headers: { authorization: `Basic ${proof}` },
        body: { access_token: tokens.accessToken.reveal() },
      });
    } catch (error) {
      if (!isProviderFailure(error, { providerStatus: 404 })) throw error;
    }
  },
};

/** https://docs.github.com/en/rest/apps/installations#list-repositories-accessible-to-the-app-installation */
async function identifyInstallation(
  { request }: ProviderContext,
  refused: ProviderFailure,
): Promise<ProviderIdentity> {
  const response = await request({
    method: 'GET',
    path: '/installation/repositories',
    query: { per_page: 1 },
  });
  const owner = at(response.body, 'repositories', 0, 'owner');
  // Installed, and allowed to see nothing: there is no telling whose it is.
  if (!isObject(owner)) throw refused;
  const account = toAccount(response, owner);
  return { account, appAccount: account.id, grantedScopes: undefined };
}

function toAccount(response: ProviderResponse, body: unknown): ProviderIdentity['account'] {
  const [id, name, url] = ['id', 'login', 'html_url'].map((field) => textAt(body, field));
  if (!id || !name) throw unexpectedAnswer(response, "the account's id and login", { isAmbiguous: false });
  return { id, name, ...(url && { url }) };
}

/** Only classic tokens tell their scopes; an empty header is a token without any. Fine-grained ones send no header. */
function scopesOf(header: string | undefined): readonly string[] | undefined {
  return header
    ?.split(',')
    .map((scope) => scope.trim())
    .filter((scope) => scope !== '');
}
