import {
  type Auth,
  type FailureCategory,
  type ProviderContext,
  ProviderFailure,
  isObject,
  listAt,
  textAt,
} from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';

/** GitLab's word for "not here, and not with this token", which says nothing about whether the token is good. */
const NOT_TOLD: ReadonlySet<FailureCategory> = new Set(['INVALID', 'NOT_FOUND', 'AUTH']);
const UNAUTHORIZED = 401;

/**
 * Personal, project and group access tokens and those of OAuth, all as Bearer: https://docs.gitlab.com/api/rest/authentication.
 * Tokens of projects and groups belong to a bot user of their own.
 */
export const auth: Auth = {
  sign: ({ token, accessToken }) => ({ authorization: `Bearer ${(accessToken ?? token)?.reveal() ?? ''}` }),

  /** https://docs.gitlab.com/api/users/#retrieve-the-current-user */
  async identify(context) {
    const response = await context.request({ method: 'GET', path: '/user' });
    const [id, name, url] = ['id', 'username', 'web_url'].map((field) => textAt(response.body, field));
    if (!id || !name) {
      throw unexpectedAnswer(response, "the account's id and username", { isAmbiguous: false });
    }
    return { account: { id, name, ...(url && { url }) }, grantedScopes: await findScopes(context) };
  },
};

/**
 * An access token may ask for itself; one of OAuth is told 400, and older versions don't know the question.
 * https://docs.gitlab.com/api/personal_access_tokens/#self-inform
 */
async function findScopes({ request }: ProviderContext): Promise<readonly string[] | undefined> {
  try {
    const { body } = await request({ method: 'GET', path: '/personal_access_tokens/self' });
    if (!isObject(body) || !Array.isArray(body['scopes'])) return undefined;
    return listAt(body, 'scopes').filter((scope) => typeof scope === 'string');
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    const { category, providerStatus } = error.details;
    if (!NOT_TOLD.has(category) || providerStatus === UNAUTHORIZED) throw error;
    return undefined;
  }
}
