import type { FakeAnswer, FakeProvider, FakeRequest } from './fake-provider.js';
import { MARK, authorizationOf } from './tenancy-marks.js';

const HOOKS = '/ex/jira/{cloud}/rest/api/3/webhook';
const REFRESH = `${HOOKS}/refresh`;
const DAY = 24 * 60 * 60_000;

/** Webhooks of the tenants' repositories at GitHub, to which nothing was delivered yet. */
export function addMarkedHooks(provider: FakeProvider): void {
  const hooks = '/repos/{owner}/{repo}/hooks';
  provider.on(`GET ${hooks}`, () => ({ status: 200, body: [] }));
  provider.on(`POST ${hooks}`, ({ body }) => ({ status: 201, body: { ...(body as object), id: 1 } }));
  provider.on(`GET ${hooks}/{id}/deliveries`, () => ({ status: 200, body: [] }));
}

/** Jira sites of the tenants, each with one webhook that ends. */
export interface MarkedJira {
  /** How often the tenant's webhook was renewed after it was registered. */
  renewed(mark: string): number;
}

/** As every site counts for itself, ids are the same for all; a site by itself is known by its tenant's mark. */
export function addMarkedJira(provider: FakeProvider): MarkedJira {
  const hooks = new Map<string, object>();
  const refreshed = new Map<string, number>();
  const on = (route: string, handle: (mark: string, request: FakeRequest) => FakeAnswer): void =>
    provider.on(route, (request, { cloud }) => {
      const [mark = ''] = authorizationOf(request).match(MARK) ?? [];
      if (cloud !== undefined && cloud !== `site-${mark}`) return { status: 404, body: {} };
      return handle(mark, request);
    });

  on('GET /oauth/token/accessible-resources', (mark) => {
    const site = { id: `site-${mark}`, url: `https://${mark}.atlassian.net`, scopes: ['read:jira-work'] };
    return { status: 200, body: [site] };
  });
  on('GET /ex/jira/{cloud}/rest/api/3/myself', (mark) => ({
    status: 200,
    body: { accountId: 'account-1', displayName: mark },
  }));
  on(`GET ${HOOKS}`, (mark) => {
    const hook = hooks.get(mark);
    return { status: 200, body: { isLast: true, values: hook ? [hook] : [] } };
  });
  on(`POST ${HOOKS}`, (mark, { body }) => {
    const [wanted] = (body as { webhooks: readonly object[] }).webhooks;
    hooks.set(mark, { ...wanted, id: 1_001 });
    return { status: 200, body: { webhookRegistrationResult: [{ createdWebhookId: 1_001 }] } };
  });
  on(`PUT ${REFRESH}`, (mark) => {
    refreshed.set(mark, (refreshed.get(mark) ?? 0) + 1);
    return { status: 200, body: { expirationDate: Date.now() + 30 * DAY } };
  });
  return { renewed: (mark) => (refreshed.get(mark) ?? 1) - 1 };
}
