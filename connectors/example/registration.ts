import {
  type ProviderContext,
  type WantedWebhook,
  type WebhookRegistrar,
  at,
  isProviderFailure,
  textAt,
} from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';

const HOOKS = '/v1/projects/{project}/webhooks';

/** https://example.com/docs/api/webhooks */
export const registration: WebhookRegistrar = {
  // What to say where: the admin is asked for it, so keep it to what a person knows by heart.
  targetSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['project'],
    properties: { project: { type: 'string', minLength: 1, description: 'The key of a project: DEMO.' } },
  },

  /** Looks before it makes one: an answer may have been lost, and Example takes as many of one URL as it is sent. */
  async register(context, wanted) {
    const { target, url, secret } = wanted;
    const params = { project: projectOf(target) };
    // Our triggers have Example's own names for events. A ping comes unasked.
    const events = wanted.events.filter((event) => event !== 'ping');
    const id = await findHook(context, params, wanted);
    const body = { url, secret: secret.reveal(), events };
    const response = id
      ? await context.request({ method: 'PATCH', path: `${HOOKS}/{id}`, params: { ...params, id }, body })
      : await context.request({ method: 'POST', path: HOOKS, params, body });
    const externalId = textAt(response.body, 'id');
    if (!externalId) throw unexpectedAnswer(response, 'the id of the webhook', { isAmbiguous: true });
    return { externalId, target, events };
  },

  async update(context, { externalId: id, target }, { url, secret }) {
    const params = { project: projectOf(target), id };
    const body = { url, secret: secret.reveal() };
    await context.request({ method: 'PATCH', path: `${HOOKS}/{id}`, params, body, isRepeatable: true });
  },

  async unregister(context, { externalId: id, target }) {
    const params = { project: projectOf(target), id };
    try {
      await context.request({ method: 'DELETE', path: `${HOOKS}/{id}`, params, isRepeatable: true });
    } catch (error) {
      if (!isProviderFailure(error, { category: 'NOT_FOUND' })) throw error;
      // Many providers say the same of what a token may not touch. A list without it tells that somebody took it away by
      // hand, and then what was wanted is so; who may not read the list is told by the failure of that.
      if ((await listHooks(context, params)).some((hook) => textAt(hook, 'id') === id)) throw error;
    }
  },
};

function projectOf(target: WantedWebhook['target']): string {
  return textAt(target, 'project') ?? '';
}

/** Ours is the one with our URL, which is a secret, or the one that we made there before. */
async function findHook(
  context: ProviderContext,
  params: { readonly project: string },
  { url, previousId }: WantedWebhook,
): Promise<string | undefined> {
  const ours = (await listHooks(context, params)).find(
    (hook) => textAt(hook, 'url') === url || (previousId !== undefined && textAt(hook, 'id') === previousId),
  );
  return textAt(ours, 'id');
}

async function listHooks(
  { request }: ProviderContext,
  { project }: { readonly project: string },
): Promise<readonly unknown[]> {
  const response = await request({ method: 'GET', path: HOOKS, params: { project } });
  const items = at(response.body, 'items');
  if (Array.isArray(items)) return items;
  throw unexpectedAnswer(response, 'a list of webhooks', { isAmbiguous: false });
}
