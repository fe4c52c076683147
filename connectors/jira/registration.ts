import {
  type ProviderContext,
  type RegisteredWebhook,
  type WantedWebhook,
  type WebhookRegistrar,
  at,
  isProviderFailure,
  textAt,
} from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';
import { ensureDynamic, removeDynamic } from './dynamic.js';
import type { Site } from './site.js';

const HOOKS = '/rest/webhooks/1.0/webhook';
const NAME = 'Tributary';

/**
 * On the site's own address, the webhooks of its administrators: https://developer.atlassian.com/cloud/jira/platform/webhooks/.
 * They are signed, and take an API token of an administrator. Behind the gateway, those that OAuth apps register by
 * themselves, which end after 30 days: dynamic.ts.
 */
export const registration: WebhookRegistrar = {
  targetSchema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      jql: {
        type: 'string',
        minLength: 1,
        maxLength: 1000,
        description:
          'Which issues, in JQL: "project = SHOP". By API token it may be left out: all of the site. By OAuth it is needed, and takes issueKey, project, issuetype, status, assignee, reporter and issue.property with =, !=, IN and NOT IN.',
      },
    },
  },

  async register(context, wanted) {
    const site = ownAddressOf(context);
    if (!site) return ensureDynamic(context, wanted);
    const id = await findHook(site, wanted);
    const body = { name: NAME, ...configOf(wanted), enabled: true };
    const response = id
      ? await site.request({ method: 'PUT', path: `${HOOKS}/{id}`, params: { id }, body, isRepeatable: true })
      : await site.request({ method: 'POST', path: HOOKS, body });
    const externalId = id ?? idOf(response.body);
    if (!externalId) throw unexpectedAnswer(response, "the webhook's id", { isAmbiguous: true });
    return { externalId, target: wanted.target, events: wanted.events };
  },

  async update(context, { externalId: id, target, events }, { url, secret }) {
    const site = ownAddressOf(context);
    // The others send to their app's address, and are proven by its secret.
    if (!site) return;
    // What is left out would be taken off.
    const body = { name: NAME, ...configOf({ url, secret, target, events }), enabled: true };
    await site.request({ method: 'PUT', path: `${HOOKS}/{id}`, params: { id }, body, isRepeatable: true });
  },

  async unregister(context, { externalId: id }) {
    const site = ownAddressOf(context);
    if (!site) return removeDynamic(context, id);
    try {
      await site.request({ method: 'DELETE', path: `${HOOKS}/{id}`, params: { id }, isRepeatable: true });
    } catch (error) {
      if (!isProviderFailure(error, { category: 'NOT_FOUND' })) throw error;
      // Who may not manage webhooks is told the same; but then they may not read the list either.
      if ((await listHooks(site)).some((hook) => idOf(hook) === id)) throw error;
    }
  },

  /** An administrator's does not end, and answers no `expiresAt`: none is ever renewed. */
  renew: (context, { externalId: previousId, target, events }, { url, appUrl }) =>
    ensureDynamic(context, { url, ...(appUrl && { appUrl }), target, events, previousId }),
};

/** Undefined for a connection by OAuth: the gateway does not lead to the webhooks of administrators. */
function ownAddressOf({ settings, request }: ProviderContext): Pick<Site, 'request'> | undefined {
  return textAt(settings, 'baseUrl') === undefined ? undefined : { request };
}

function configOf({ url, secret, target, events }: Omit<WantedWebhook, 'previousId'>) {
  const jql = textAt(target, 'jql');
  return {
    url,
    secret: secret.reveal(),
    events,
    excludeBody: false,
    ...(jql && { filters: { 'issue-related-events-section': jql } }),
  };
}

async function findHook(
  site: Pick<Site, 'request'>,
  { url, previousId }: WantedWebhook,
): Promise<string | undefined> {
  const isOurs = (hook: unknown): boolean =>
    textAt(hook, 'url') === url || (previousId !== undefined && idOf(hook) === previousId);
  const found = (await listHooks(site)).find(isOurs);
  return found === undefined ? undefined : idOf(found);
}

async function listHooks(site: Pick<Site, 'request'>): Promise<readonly unknown[]> {
  const response = await site.request({ method: 'GET', path: HOOKS });
  if (!Array.isArray(response.body)) throw unexpectedAnswer(response, 'a list', { isAmbiguous: false });
  return response.body;
}

/** A webhook has no id but its address: the number at the end of `self`. */
function idOf(hook: unknown): RegisteredWebhook['externalId'] | undefined {
  const self = at(hook, 'self');
  return typeof self === 'string' ? /\/webhook\/(\d+)$/.exec(self)?.[1] : undefined;
}
