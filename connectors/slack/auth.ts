import {
  type Auth,
  ProviderFailure,
  type ProviderIdentity,
  type ProviderResponse,
  at,
  textAt,
} from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';

/** A token that is gone needs no ending. One that has only expired may still have a refresh token that works. */
const GONE = new Set(['token_revoked', 'account_inactive', 'invalid_auth']);

/** Bot tokens, those of OAuth and pasted ones alike, as Bearer. https://docs.slack.dev/authentication/tokens */
export const auth: Auth = {
  sign: ({ token, accessToken }) => ({ authorization: `Bearer ${(accessToken ?? token)?.reveal() ?? ''}` }),

  /** https://docs.slack.dev/reference/methods/auth.test */
  async identify({ request }) {
    const response = await request({ method: 'POST', path: '/auth.test', isRepeatable: true });
    const { headers } = response;
    return { ...identityOf(response), grantedScopes: scopesOf(headers['x-oauth-scopes']) };
  },

  /** This token and no other; the app stays installed. https://docs.slack.dev/reference/methods/auth.revoke */
  async revoke({ request }, { tokens }) {
    const headers = { authorization: `Bearer ${tokens.accessToken.reveal()}` };
    try {
      await request({ method: 'POST', path: '/auth.revoke', headers });
    } catch (error) {
      if (!(error instanceof ProviderFailure) || !GONE.has(error.details.code)) throw error;
    }
  },
};

/**
 * The workspace, or the organisation where a whole one has installed the app. What the app is told of it may be seen by
 * whoever holds the app's bot token, which can read the same; a person's token may see less.
 */
function identityOf(response: ProviderResponse): Omit<ProviderIdentity, 'grantedScopes'> {
  const { body } = response;
  const isOrganisation = at(body, 'is_enterprise_install') === true;
  const id = textAt(body, isOrganisation ? 'enterprise_id' : 'team_id');
  const name = textAt(body, 'team') ?? id;
  const url = textAt(body, 'url');
  if (!id || !name) throw unexpectedAnswer(response, 'the workspace', { isAmbiguous: false });
  const isBot = textAt(body, 'bot_id') !== undefined;
  return { account: { id, name, ...(url && { url }) }, ...(isBot && { appAccount: id }) };
}

function scopesOf(header: string | undefined): readonly string[] | undefined {
  return header
    ?.split(',')
    .map((scope) => scope.trim())
    .filter((scope) => scope !== '');
}
