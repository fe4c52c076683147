import { type Auth, ProviderFailure, textAt } from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';

/** Personal access tokens and those of OAuth, all as Bearer. https://docs.github.com/en/rest/authentication */
export const auth: Auth = {
  sign: ({ token, accessToken }) => ({ authorization: `Bearer ${(accessToken ?? token)?.reveal() ?? ''}` }),

  /** https://docs.github.com/en/rest/users/users#get-the-authenticated-user: needs no scope. */
  async identify(context) {
    const response = await context.request({ method: 'GET', path: '/user' });
    const [id, name, url] = ['id', 'login', 'html_url'].map((field) => textAt(response.body, field));
    if (!id || !name) throw unexpectedAnswer(response, "the user's id and login", { isAmbiguous: false });
    return {
      account: { id, name, ...(url && { url }) },
      grantedScopes: scopesOf(response.headers['x-oauth-scopes']),
    };
  },

  /** https://docs.github.com/en/rest/apps/oauth-applications#delete-an-app-authorization: all tokens of this person. */
  async revoke({ request }, { clientId, clientSecret, tokens }) {
    const proof = Buffer.from(`${clientId}:${clientSecret.reveal()}`).toString('base64');
    try {
      await request({
        method: 'DELETE',
        path: '/applications/{client_id}/grant',
        params: { client_id: clientId },
        headers: { authorization: `Basic ${proof}` },
        body: { access_token: tokens.accessToken.reveal() },
      });
    } catch (error) {
      if (!(error instanceof ProviderFailure) || error.details.providerStatus !== 404) throw error;
    }
  },
};

/** Only classic tokens tell their scopes; an empty header is a token without any. Fine-grained ones send no header. */
function scopesOf(header: string | undefined): readonly string[] | undefined {
  return header
    ?.split(',')
    .map((scope) => scope.trim())
    .filter((scope) => scope !== '');
}
