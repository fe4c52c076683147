import { type Auth, at } from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';

/** Project, service account and admin keys alike. https://platform.openai.com/docs/api-reference/authentication */
export const auth: Auth = {
  sign: ({ apiKey }) => ({ authorization: `Bearer ${apiKey?.reveal() ?? ''}` }),

  /**
   * Lists the models, which is free. No documented call tells whose key it is. Two headers do, in practice and not by
   * promise: where neither comes, all keys look like one account.
   * https://platform.openai.com/docs/api-reference/models/list
   */
  async identify({ request }) {
    const response = await request({ method: 'GET', path: '/models' });
    if (!Array.isArray(at(response.body, 'data'))) {
      throw unexpectedAnswer(response, 'a list of models', { isAmbiguous: false });
    }
    const { 'openai-organization': organization, 'openai-project': project } = response.headers;
    const id = project || organization || 'openai';
    return { account: { id, name: organization || id }, grantedScopes: undefined };
  },
};
