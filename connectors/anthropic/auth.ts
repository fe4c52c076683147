import {
  type Auth,
  type JsonObject,
  type ProviderContext,
  type ProviderIdentity,
  at,
  listAt,
  textAt,
} from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';
import { EARLIER, versionHeader } from './version.js';

/** Keys of a workspace, and admin keys for reports. https://platform.claude.com/docs/en/api/overview */
export const auth: Auth = {
  sign: ({ apiKey }) => ({ 'x-api-key': apiKey?.reveal() ?? '' }),
  identify: (context) =>
    isForReports(context.settings) ? identifyAdmin(context) : identifyWorkspace(context),
};

/** What reads reports needs an admin key, and that one may do nothing else. */
function isForReports(settings: JsonObject): boolean {
  const polled = listAt(settings, 'poll');
  return polled.length > 0 && !polled.includes('batches');
}

/** https://platform.claude.com/docs/en/api/admin/organizations/me */
async function identifyAdmin({ request }: ProviderContext): Promise<ProviderIdentity> {
  const headers = { 'anthropic-version': EARLIER };
  const response = await request({ method: 'GET', path: '/organizations/me', headers });
  const [id, name] = ['id', 'name'].map((field) => textAt(response.body, field));
  if (!id || !name)
    throw unexpectedAnswer(response, "the organization's id and name", { isAmbiguous: false });
  return { account: { id, name }, grantedScopes: undefined };
}

/** Lists one model, which is free. The organization is told by a header, as of captured answers; where it is missing, all keys look alike. */
async function identifyWorkspace({ request, settings }: ProviderContext): Promise<ProviderIdentity> {
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
}
