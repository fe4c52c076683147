import { type Auth, textAt } from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';

/** A personal token, or one of OAuth, as Bearer. `sign` is the only connector code that reveals a secret, and only into a header. */
export const auth: Auth = {
  sign: ({ token, accessToken }) => ({ authorization: `Bearer ${(accessToken ?? token)?.reveal() ?? ''}` }),

  /** https://example.com/docs/api/me */
  async identify({ request }) {
    const response = await request({ method: 'GET', path: '/v1/me' });
    const { body, headers } = response;
    const id = textAt(body, 'id');
    // A 200 without what we came for is a failure too. Never guess an id.
    if (!id) throw unexpectedAnswer(response, 'an account id', { isAmbiguous: false });
    return {
      account: { id, name: textAt(body, 'name') ?? id },
      // Undefined, not [], when the provider does not tell: [] would mean that nothing was granted.
      // How deliveries to an app name this account: webhook.ts reads the same from their bodies.
      appAccount: id,
      grantedScopes: headers['example-scopes']?.split(' '),
    };
  },
};
