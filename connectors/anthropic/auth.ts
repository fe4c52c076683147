import { type Auth, at } from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';
import { versionHeader } from './version.js';

/** Keys of a workspace. https://platform.claude.com/docs/en/api/overview */
export const auth: Auth = {
  sign: ({ apiKey }) => ({ 'x-api-key': apiKey?.reveal() ?? '' }),

  /** Lists one model, which is free. The organization is told by a header, as of captured answers; where it is missing, all keys look alike. */
  async identify({ request, settings }) {
    const response = await request({
      method: 'GET',
      path: '/models',
      query: { limit: 1 },
      headers: versionHeader(settings),
    });
    if (!Array.isArray(at(response.body, 'data'))) {
      throw unexpectedAnswer(response, 'a list of models', { isAmbiguous: false });
    }
    const id = response.headers['anthropic-organization-id'] || 'anthropic';
    return { account: { id, name: id }, grantedScopes: undefined };
  },
};
