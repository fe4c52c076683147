import { type Auth, at, textAt } from '../../src/connector/index.js';
import { WHO } from './documents.js';
import { unexpectedAnswer } from './answer.js';
import { query } from './graphql.js';

/**
 * A personal API key stands in the header as it is, a token of OAuth behind `Bearer`.
 * https://linear.app/developers/graphql#authentication
 */
export const auth: Auth = {
  sign: ({ apiKey, accessToken }) => ({
    authorization: accessToken ? `Bearer ${accessToken.reveal()}` : (apiKey?.reveal() ?? ''),
  }),

  /** The account is the workspace: people come and go, and keys of two of them open the same. */
  async identify(context) {
    const data = await query(context, WHO, {});
    const workspace = at(data, 'organization');
    const [id, name, key] = ['id', 'name', 'urlKey'].map((field) => textAt(workspace, field));
    if (!id || !name || !textAt(data, 'viewer', 'id')) {
      throw unexpectedAnswer({ status: 200 }, 'viewer and organization', { isAmbiguous: false });
    }
    const account = { id, name, ...(key && { url: `https://linear.app/${encodeURIComponent(key)}` }) };
    // What an app is told of a workspace only itself and admins may see: a guest's own key opens much less.
    const seesAll = ['app', 'admin'].some((field) => at(data, 'viewer', field) === true);
    // Scopes come with the tokens of OAuth only, and no key tells its own.
    return { account, grantedScopes: undefined, ...(seesAll && { appAccount: id }) };
  },
};
