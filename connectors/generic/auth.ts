import { type Auth, type Credential, invalid, textAt } from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';
import type { Settings } from './settings.js';

export const auth: Auth = {
  sign: (credential) => proofOf(credential),

  /** By the read that the settings declare. Without one there is nobody to ask: the credential is taken as it is. */
  async identify({ request, settings }) {
    const { baseUrl, verify } = settings as Settings;
    // Nothing tells who it is: a credential of somebody else is not noticed.
    const account = { id: 'generic', name: baseUrl ?? 'Webhooks only' };
    if (!verify) return { account, grantedScopes: undefined };
    if (!baseUrl) {
      throw invalid('no_base_url', 'settings.verify needs settings.baseUrl.');
    }
    const response = await request({ method: 'GET', path: verify.path });
    const named = verify.account && textAt(response.body, ...verify.account.split('.'));
    if (verify.account && !named) {
      const wanted = `${verify.account}, which settings.verify has for the account`;
      throw unexpectedAnswer(response, wanted, { isAmbiguous: false });
    }
    return { account: named ? { id: named, name: named } : account, grantedScopes: undefined };
  },
};

function proofOf({ token, username, password, key, header }: Credential): Readonly<Record<string, string>> {
  if (token) return { authorization: `Bearer ${token.reveal()}` };
  if (key) return { [header?.reveal() ?? 'x-api-key']: key.reveal() };
  if (!username || !password) return {};
  const pair = Buffer.from(`${username.reveal()}:${password.reveal()}`).toString('base64');
  return { authorization: `Basic ${pair}` };
}
