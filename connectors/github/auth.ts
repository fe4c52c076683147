import { type Auth, textAt } from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';

/** Personal access tokens, classic and fine-grained, as Bearer. https://docs.github.com/en/rest/authentication */
export const auth: Auth = {
  sign: ({ token }) => ({ authorization: `Bearer ${token?.reveal() ?? ''}` }),

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
};

/** Only classic tokens tell their scopes; an empty header is a token without any. Fine-grained ones send no header. */
function scopesOf(header: string | undefined): readonly string[] | undefined {
  return header
    ?.split(',')
    .map((scope) => scope.trim())
    .filter((scope) => scope !== '');
}
