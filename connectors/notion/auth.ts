import {
  type Auth,
  type ProviderIdentity,
  type ProviderResponse,
  textAt,
} from '../../src/connector/index.js';
import { accountIn } from './account.js';
import { unexpectedAnswer } from './answer.js';
import { requestOf } from './version.js';

/** Tokens of OAuth and of internal integrations alike, as Bearer. https://developers.notion.com/reference/authentication */
export const auth: Auth = {
  sign: ({ token, accessToken }) => ({ authorization: `Bearer ${(accessToken ?? token)?.reveal() ?? ''}` }),

  /** https://developers.notion.com/reference/get-self. There are no scopes: what an integration may do it is not told. */
  async identify(context) {
    const response = await requestOf(context)({ method: 'GET', path: '/users/me' });
    return { ...identityOf(response), grantedScopes: undefined };
  },

  /**
   * https://developers.notion.com/reference/revoke-token, which the app proves itself for. How a token that is gone already
   * is answered is not told there: then the receipt says that giving it back failed.
   */
  async revoke(unsigned, { clientId, clientSecret, tokens }) {
    const proof = Buffer.from(`${clientId}:${clientSecret.reveal()}`).toString('base64');
    await requestOf(unsigned)({
      method: 'POST',
      path: '/oauth/revoke',
      headers: { authorization: `Basic ${proof}` },
      body: { token: tokens.accessToken.reveal() },
    });
  },
};

/**
 * The bot that the token is for. An integration of a workspace may see what its webhooks tell. One that people consent to
 * sees what each of them has picked, and an event names those who may see what it is about: so it is known by the person in
 * that workspace.
 */
function identityOf(response: ProviderResponse): Omit<ProviderIdentity, 'grantedScopes'> {
  const { body } = response;
  const [id, owner] = [textAt(body, 'id'), textAt(body, 'bot', 'owner', 'type')];
  const name = textAt(body, 'bot', 'workspace_name') ?? textAt(body, 'name');
  if (!id || textAt(body, 'type') !== 'bot')
    throw unexpectedAnswer(response, 'the bot of the token', { isAmbiguous: false });
  const workspace = textAt(body, 'bot', 'workspace_id');
  const appAccount =
    owner === 'workspace' ? workspace : accountIn(workspace, textAt(body, 'bot', 'owner', 'user', 'id'));
  return { account: { id, name: name ?? id }, ...(appAccount && { appAccount }) };
}
