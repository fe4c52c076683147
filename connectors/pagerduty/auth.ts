import {
  type Auth,
  type ProviderContext,
  type ProviderIdentity,
  at,
  compact,
  isProviderFailure,
  textAt,
} from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';

const BAD_REQUEST = 400;

/**
 * An API key behind `Token token=`, a token of OAuth behind `Bearer`.
 * https://developer.pagerduty.com/docs/authentication
 */
export const auth: Auth = {
  sign: ({ apiKey, accessToken }) => ({
    authorization: accessToken ? `Bearer ${accessToken.reveal()}` : `Token token=${apiKey?.reveal() ?? ''}`,
  }),

  /** The user whose key it is. A key of the account is no user's: PagerDuty then says 400. */
  async identify(context) {
    try {
      const response = await context.request({ method: 'GET', path: '/users/me' });
      const [id, name, url] = ['id', 'name', 'html_url'].map((field) => textAt(response.body, 'user', field));
      if (!id || !name) throw unexpectedAnswer(response, "the user's id and name", { isAmbiguous: false });
      // No answer tells what a key may do; what a token of OAuth may do is told when it is granted.
      return { account: { id, name, ...compact({ url }) }, grantedScopes: undefined };
    } catch (error) {
      if (!isProviderFailure(error, { providerStatus: BAD_REQUEST })) throw error;
      return identifyAccount(context);
    }
  },
};

/** Nothing names the account but the addresses of what is in it: `https://acme.pagerduty.com/service-directory/P1`. */
async function identifyAccount({ request }: ProviderContext): Promise<ProviderIdentity> {
  const response = await request({ method: 'GET', path: '/services', query: { limit: 1 } });
  const services = at(response.body, 'services');
  if (!Array.isArray(services))
    throw unexpectedAnswer(response, 'a list of services', { isAmbiguous: false });
  const url = /^https:\/\/([a-z0-9-]+)(?:\.eu)?\.pagerduty\.com(?=\/)/.exec(
    textAt(services[0], 'html_url') ?? '',
  );
  // An account without services can do nothing yet, and keys of two such look alike.
  const [address, id = 'pagerduty'] = url ?? [];
  return { account: { id, name: id, ...compact({ url: address }) }, grantedScopes: undefined };
}
