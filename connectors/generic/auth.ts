import { type Auth, type Credential, ProviderFailure, textAt } from '../../src/connector/index.js';
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
      throw new ProviderFailure({
        category: 'INVALID',
        code: 'no_base_url',
        message: 'settings.verify needs settings.baseUrl.',
      });
    }
    const { body, status } = await request({ method: 'GET', path: verify.path });
    const named = verify.account && textAt(body, ...verify.account.split('.'));
    if (verify.account && !named) {
      throw new ProviderFailure({
        category: 'PROVIDER',
        code: 'unexpected_answer',
        message: `The service answered ${status} without ${verify.account}, which settings.verify has for the account.`,
        providerStatus: status,
      });
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
