import {
  ProviderFailure,
  type ProviderContext,
  type ProviderResponse,
  type RegisteredWebhook,
  type WantedWebhook,
  type WebhookRegistrar,
  isProviderFailure,
  textAt,
} from '../../src/connector/index.js';
import { findEntry } from './actions/search.js';
import { unexpectedAnswer } from './answer.js';
import { hooksOf } from './hooks.js';
import { redeliver } from './redelivery.js';

/** GitHub sends a ping to every new webhook, and `installation` to GitHub Apps only: nobody can subscribe to them. */
const NOT_SUBSCRIBED = new Set(['ping', 'installation']);
/** A repository does not send them. https://docs.github.com/en/webhooks/webhook-events-and-payloads */
const OF_ORGANIZATIONS = new Set(['organization', 'membership']);

/** Webhooks of repositories and organizations. https://docs.github.com/en/rest/repos/webhooks and …/rest/orgs/webhooks */
export const registration: WebhookRegistrar = {
  targetSchema: {
    type: 'object',
    additionalProperties: false,
    minProperties: 1,
    maxProperties: 1,
    properties: {
      repository: {
        type: 'string',
        pattern: '^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$',
        maxLength: 255,
        description: 'One repository, as owner/name.',
      },
      organization: {
        type: 'string',
        pattern: '^[A-Za-z0-9-]+$',
        maxLength: 255,
        description: 'An organization with all of its repositories, those to come as well.',
      },
    },
  },

  /** The URL is looked for first: GitHub refuses a second webhook of the same URL only if their events overlap. */
  async register(context, wanted) {
    const events = subscriptionsFor(wanted);
    const id = await findHook(context, wanted);
    const response = id
      ? await changeHook(context, wanted, id, events)
      : await createHook(context, wanted, events);
    return toRegistered(response, wanted, events);
  },

  /** By the configuration alone, which leaves the events to whoever has changed them since. */
  async update(context, { externalId, target }, wanted) {
    await context.request({
      method: 'PATCH',
      ...hooksOf(target, '/{id}/config', { id: externalId }),
      body: configOf(wanted),
      isRepeatable: true,
    });
  },

  async unregister(context, { externalId, target }) {
    try {
      const hook = hooksOf(target, '/{id}', { id: externalId });
      await context.request({ method: 'DELETE', ...hook, isRepeatable: true });
    } catch (error) {
      if (!isProviderFailure(error, { category: 'NOT_FOUND' })) throw error;
      // A token that may not manage webhooks is told the same; but then it may not read their list either.
      const isIt = (hook: unknown): boolean => textAt(hook, 'id') === externalId;
      if (await findEntry(context, { method: 'GET', ...hooksOf(target) }, isIt)) throw error;
    }
  },

  redeliver,
};

/** `pull_request.opened` comes by subscribing to `pull_request`: GitHub has nothing smaller. */
function subscriptionsFor({ events, target }: WantedWebhook): readonly string[] {
  const names = new Set(events.map((event) => event.split('.', 1)[0] ?? event));
  const isOrganization = target['organization'] !== undefined;
  const found = [...names].filter(
    (name) => !NOT_SUBSCRIBED.has(name) && (isOrganization || !OF_ORGANIZATIONS.has(name)),
  );
  if (found.length > 0) return found.toSorted();
  throw new ProviderFailure({
    category: 'INVALID',
    code: 'no_events',
    message: `Webhooks of ${isOrganization ? 'an organization' : 'a repository'} send none of the events that are wanted.`,
  });
}

function configOf({ url, secret }: Pick<WantedWebhook, 'url' | 'secret'>) {
  // All four always: what is left out falls back to GitHub's defaults, and a secret that is left out is removed.
  return { url, secret: secret.reveal(), content_type: 'json', insecure_ssl: '0' };
}

/** The id of ours, if it is there: by its id, or by its URL, which nobody else can know. */
async function findHook(
  context: ProviderContext,
  { url, target, previousId }: WantedWebhook,
): Promise<string | undefined> {
  const isOurs = (hook: unknown): boolean =>
    textAt(hook, 'config', 'url') === url || (previousId !== undefined && textAt(hook, 'id') === previousId);
  const found = await findEntry(context, { method: 'GET', ...hooksOf(target) }, isOurs);
  return textAt(found?.entry, 'id');
}

async function createHook(
  context: ProviderContext,
  wanted: WantedWebhook,
  events: readonly string[],
): Promise<ProviderResponse> {
  const body = { name: 'web', active: true, events, config: configOf(wanted) };
  try {
    return await context.request({ method: 'POST', ...hooksOf(wanted.target), body });
  } catch (error) {
    if (!isProviderFailure(error, { code: 'hook_exists' })) throw error;
    // Somebody else made it in between.
    const id = await findHook(context, wanted);
    if (!id) throw error;
    return changeHook(context, wanted, id, events);
  }
}

function changeHook(
  context: ProviderContext,
  wanted: WantedWebhook,
  id: string,
  events: readonly string[],
): Promise<ProviderResponse> {
  return context.request({
    method: 'PATCH',
    ...hooksOf(wanted.target, '/{id}', { id }),
    body: { active: true, events, config: configOf(wanted) },
    isRepeatable: true,
  });
}

function toRegistered(
  response: ProviderResponse,
  { target }: WantedWebhook,
  events: readonly string[],
): RegisteredWebhook {
  const externalId = textAt(response.body, 'id');
  if (!externalId) throw unexpectedAnswer(response, "the webhook's id", { isAmbiguous: true });
  return { externalId, target, events };
}
