import { createHash } from 'node:crypto';
import {
  type ProviderContext,
  ProviderFailure,
  type ProviderResponse,
  type RegisteredWebhook,
  type WantedWebhook,
  at,
  invalid,
  listAt,
  textAt,
} from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';
import { SEPARATOR, routesAt } from './route.js';
import { type Site, sites } from './site.js';

const HOOKS = '/rest/api/3/webhook';
/** What such webhooks can be subscribed to, of what the manifest announces. */
const EVENTS = ['jira:issue_created', 'jira:issue_updated', 'jira:issue_deleted', 'comment_created'];
/** A page of our own webhooks; an app has few at a site. */
const PAGE = 100;
const MOST_PAGES = 20;

type Wanted = Pick<WantedWebhook, 'url' | 'appUrl' | 'events' | 'target' | 'previousId'>;

interface Hook {
  readonly id: string;
  /** Left out by older descriptions of the API. */
  readonly url: string | undefined;
  readonly jql: string | undefined;
  readonly events: readonly unknown[];
  readonly marks: readonly unknown[];
}

/**
 * Makes it so that there is just one such webhook of ours, for another 30 days.
 *
 * All of an app's webhooks send to one address, and its list may show those of other people. So ours carry a mark: a
 * filter for an issue property that nobody has, which touches only events that we don't ask for.
 * https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-webhooks/
 */
export async function ensureDynamic(context: ProviderContext, wanted: Wanted): Promise<RegisteredWebhook> {
  const jql = textAt(wanted.target, 'jql');
  if (!jql) throw invalid('needs_jql', 'By OAuth, Jira wants to know which issues: name them by jql.');
  const events = EVENTS.filter((event) => wanted.events.includes(event));
  if (events.length === 0) {
    throw invalid('no_such_event', `By OAuth, Jira tells only of ${EVENTS.join(', ')}.`);
  }
  // Never by the settings: which site this is decides whose deliveries come here, and only Atlassian may say so.
  const site = await sites.findSite(context);
  const mark = markOf(wanted.url);
  const ours = (await listHooks(site)).filter(
    ({ id, marks, jql: filter }) =>
      idAt(site, id) === wanted.previousId || (marks.includes(mark) && filter === jql),
  );
  const dead = ours.filter(isDead(wanted.appUrl));
  const alive = ours.filter((hook) => !dead.includes(hook));
  // First of all: as long as one is there, Jira takes no other address.
  await remove(site, dead);
  const fitting = alive.find((hook) => hook.jql === jql && isSame(hook.events, events));
  const id = fitting?.id ?? (await create(site, wanted.appUrl, { events, jqlFilter: jql, mark }));
  await remove(
    site,
    alive.filter((hook) => hook !== fitting),
  );
  const expiresAt = await refresh(site, id);
  const externalId = idAt(site, id);
  return { externalId, target: wanted.target, events, expiresAt, routes: routesAt(site, id) };
}

/** One that is not there any more counts as taken away: Jira says nothing of it. */
export async function removeDynamic(context: ProviderContext, externalId: string): Promise<void> {
  const [cloudId = '', id = ''] = externalId.split(SEPARATOR);
  await remove(sites.atGateway(context, cloudId), [{ id }]);
}

/** Ids are good at their site only: another site has others by the same numbers. */
function idAt({ cloudId = '' }: Site, id: string): string {
  return `${cloudId}${SEPARATOR}${id}`;
}

/** Whether it sends to an address that the app had before. */
const isDead =
  (appUrl: string | undefined) =>
  ({ url }: Hook): boolean =>
    url !== undefined && appUrl !== undefined && url !== appUrl;

/** Nothing that tells the token in the URL, and the same as long as that is. */
function markOf(url: string): string {
  return `tributary-${createHash('sha256').update(url).digest('hex').slice(0, 32)}`;
}

function isSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((entry) => other.includes(entry));
}

async function create(
  site: Site,
  url: string | undefined,
  {
    mark,
    ...filter
  }: { readonly events: readonly string[]; readonly jqlFilter: string; readonly mark: string },
): Promise<string> {
  if (url === undefined) {
    throw invalid(
      'needs_webhook_app',
      'Jira sends these webhooks to one address of the app. Call registerWebhookApp with the app’s client secret first; for the operator’s app, the operator does.',
    );
  }
  const body = { url, webhooks: [{ ...filter, issuePropertyKeysFilter: [mark] }] };
  const response = await site.request({ method: 'POST', path: HOOKS, body });
  // It answers 200 also when it has refused.
  const result = at(response.body, 'webhookRegistrationResult', 0);
  const id = textAt(result, 'createdWebhookId');
  if (id) return id;
  const refusal = textAt(result, 'errors', 0);
  if (refusal) throw refused(response, refusal);
  throw unexpectedAnswer(response, "the webhook's id", { isAmbiguous: true });
}

/** It quotes the address that the app has used so far, which holds a token and may be the operator's. */
function refused({ status: providerStatus }: ProviderResponse, text: string): ProviderFailure {
  const message = text.replaceAll(/https?:\/\/\S+/gi, '…').slice(0, 500);
  const details = { category: 'INVALID', code: 'webhook_refused', isAmbiguous: false } as const;
  return new ProviderFailure({ ...details, message, providerStatus });
}

async function remove(site: Pick<Site, 'request'>, hooks: readonly Pick<Hook, 'id'>[]): Promise<void> {
  if (hooks.length === 0) return;
  const body = { webhookIds: hooks.map(({ id }) => Number(id)) };
  await site.request({ method: 'DELETE', path: HOOKS, body, isRepeatable: true });
}

async function refresh(site: Site, id: string): Promise<Date> {
  const body = { webhookIds: [Number(id)] };
  const path = `${HOOKS}/refresh`;
  const response = await site.request({ method: 'PUT', path, body, isRepeatable: true });
  const expiresAt = toTime(at(response.body, 'expirationDate'));
  if (!expiresAt) throw unexpectedAnswer(response, 'when the webhook ends', { isAmbiguous: true });
  return expiresAt;
}

/** Its description says milliseconds, its examples `2019-06-01T12:42:30.000+0000`. */
function toTime(value: unknown): Date | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  const time = new Date(typeof value === 'number' ? value : value.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
  return Number.isNaN(time.getTime()) ? undefined : time;
}

async function listHooks(site: Site): Promise<readonly Hook[]> {
  const hooks: Hook[] = [];
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const query = { startAt: String(hooks.length), maxResults: String(PAGE) };
    const response = await site.request({ method: 'GET', path: HOOKS, query });
    const values = at(response.body, 'values');
    if (!Array.isArray(values)) throw unexpectedAnswer(response, 'a list', { isAmbiguous: false });
    hooks.push(...values.map(toHook));
    if (values.length === 0 || at(response.body, 'isLast') !== false) return hooks;
  }
  return hooks;
}

function toHook(hook: unknown): Hook {
  return {
    id: textAt(hook, 'id') ?? '',
    url: textAt(hook, 'url'),
    jql: textAt(hook, 'jqlFilter'),
    events: listAt(hook, 'events'),
    marks: listAt(hook, 'issuePropertyKeysFilter'),
  };
}
