import type { Clock } from '../../src/core/clock.js';
import { type FakeSubscriptions, addSubscriptions } from './fake-pagerduty-webhooks.js';
import { type FakeAnswer, type FakeProvider, type FakeRequest, startFakeProvider } from './fake-provider.js';

export interface FakePagerDuty {
  readonly provider: FakeProvider;
  /** Oldest first. */
  readonly incidents: readonly FakeIncident[];
  readonly subscriptions: FakeSubscriptions;
  /** Opens so many, as monitoring would. */
  open(count: number): void;
}

/** As PagerDuty keeps it. */
export interface FakeIncident {
  readonly id: string;
  readonly number: number;
  readonly title: string;
  readonly key: string;
  readonly urgency: string;
  readonly createdAt: Date;
  status: 'triggered' | 'acknowledged' | 'resolved';
  readonly notes: { readonly id: string; readonly content: string }[];
}

interface NewIncident {
  readonly type?: string;
  readonly title?: string;
  readonly service?: { readonly id?: string };
  readonly incident_key?: string;
  readonly urgency?: string;
}

/** What it accepts: a user's own key, and one of the account, which belongs to no user. */
export const KEYS = { user: 'u+fake-key-of-a-user', account: 'y_fake-key-of-the-account' } as const;

const SERVICE = {
  id: 'PIJ90N7',
  type: 'service_reference',
  summary: 'Doors',
  self: 'https://api.pagerduty.com/services/PIJ90N7',
  html_url: 'https://acme.pagerduty.com/service-directory/PIJ90N7',
};

/** The account `acme` with the one service `PIJ90N7`, which has the open incident `Q000001`. */
export async function startFakePagerDuty(clock: Clock): Promise<FakePagerDuty> {
  const provider = await startFakeProvider();
  const incidents: FakeIncident[] = [];

  function add(title: string, key: string, urgency = 'high'): FakeIncident {
    const number = incidents.length + 1;
    const id = `Q${String(number).padStart(6, '0')}`;
    const createdAt = clock.now();
    const made = { id, number, title, key, urgency, createdAt, status: 'triggered', notes: [] } as const;
    return incidents[incidents.push({ ...made, notes: [] }) - 1]!;
  }

  /** Of one key there is one open incident on a service. */
  function create({ body }: FakeRequest): FakeAnswer {
    const { incident = {} } = body as { incident?: NewIncident };
    const { type, title, service, incident_key: key = crypto.randomUUID(), urgency } = incident;
    if (type !== 'incident' || typeof title !== 'string') return pagerdutyError(400);
    if (service?.id !== SERVICE.id) return invalid('Service not found');
    if (incidents.some((one) => one.key === key && one.status !== 'resolved')) {
      return invalid('Open incident with matching dedup key already exists on this service');
    }
    provider.addEffect('incident');
    const made = add(title, key, urgency);
    return { status: 201, body: { incident: toIncident(made) } };
  }

  /** Classic paging: no `total`, and nothing beyond 10,000. */
  function list({ query }: FakeRequest): FakeAnswer {
    const [limit, offset] = [Math.min(Number(query['limit'] ?? 25), 100), Number(query['offset'] ?? 0)];
    if (offset + limit > 10_000) return invalid('Offset+limit must not exceed 10000.');
    const [since, until] = [Date.parse(query['since'] ?? ''), Date.parse(query['until'] ?? '')];
    const found = incidents.filter(({ createdAt }) => {
      // Times are told in whole seconds.
      const at = Math.floor(createdAt.getTime() / 1000) * 1000;
      return !(at < since) && !(at > until);
    });
    const sorted = query['sort_by'] === 'created_at:asc' ? found : found.toReversed();
    const page = sorted.slice(offset, offset + limit);
    const more = offset + limit < sorted.length;
    return { status: 200, body: { incidents: page.map(toIncident), limit, offset, total: null, more } };
  }

  function change({ body }: FakeRequest, incident: FakeIncident): FakeAnswer {
    const { status } = (body as { incident?: { status?: string } }).incident ?? {};
    if (status !== 'resolved') return pagerdutyError(400);
    if (incident.status === 'resolved') return invalid('Incident Already Resolved');
    provider.addEffect('resolution');
    incident.status = 'resolved';
    return { status: 200, body: { incident: toIncident(incident) } };
  }

  function annotate({ body }: FakeRequest, incident: FakeIncident): FakeAnswer {
    const { content } = (body as { note?: { content?: string } }).note ?? {};
    if (!content) return pagerdutyError(400);
    provider.addEffect('note');
    const note = { id: `N${incident.notes.length + 1}`, content };
    incident.notes.push(note);
    return { status: 200, body: { note } };
  }

  const on = (route: string, handle: (request: FakeRequest, params: Record<string, string>) => FakeAnswer) =>
    provider.on(route, (request, params) => guard(request) ?? limited(handle(request, params)));
  const onIncident = (route: string, handle: (request: FakeRequest, incident: FakeIncident) => FakeAnswer) =>
    on(route, (request, { id }) => {
      const incident = incidents.find((one) => one.id === id);
      return incident ? handle(request, incident) : pagerdutyError(404);
    });
  on('GET /users/me', ({ headers }) =>
    isOfUser(headers) ? { status: 200, body: { user } } : pagerdutyError(400),
  );
  on('GET /services', () => ({
    status: 200,
    body: { services: [SERVICE], limit: 1, offset: 0, more: false },
  }));
  on('POST /incidents', create);
  on('GET /incidents', list);
  onIncident('GET /incidents/{id}', (_, incident) => ({
    status: 200,
    body: { incident: toIncident(incident) },
  }));
  onIncident('PUT /incidents/{id}', change);
  onIncident('POST /incidents/{id}/notes', annotate);
  onIncident('GET /incidents/{id}/notes', (_, { notes }) => ({ status: 200, body: { notes } }));

  const subscriptions = addSubscriptions(provider, on, pagerdutyError);

  add('The door does not open', 'door-1');
  return {
    provider,
    incidents,
    subscriptions,
    open(count) {
      for (let made = 0; made < count; made++) add('The lift is stuck', crypto.randomUUID());
    },
  };
}

const user = {
  id: 'PXPGF42',
  type: 'user',
  name: 'Ada Byron',
  summary: 'Ada Byron',
  html_url: 'https://acme.pagerduty.com/users/PXPGF42',
};

const isOfUser = (headers: FakeRequest['headers']): boolean =>
  headers['authorization'] !== `Token token=${KEYS.account}`;

/** Who writes by a key of the account has to say as whom. */
function guard({ method, path, headers }: FakeRequest): FakeAnswer | undefined {
  const known = [`Token token=${KEYS.user}`, `Token token=${KEYS.account}`, `Bearer ${KEYS.user}`];
  if (!known.includes(headers['authorization'] ?? '')) return pagerdutyError(401);
  if (headers['accept'] !== 'application/vnd.pagerduty+json;version=2') return pagerdutyError(400);
  const isAttributed = method !== 'GET' && path.startsWith('/incidents');
  if (!isAttributed || isOfUser(headers) || headers['from']) return undefined;
  return invalid('The From header is required');
}

function limited(answer: FakeAnswer): FakeAnswer {
  const headers = { 'ratelimit-limit': '960', 'ratelimit-remaining': '900', 'ratelimit-reset': '30' };
  return { ...answer, headers: { ...headers, ...answer.headers } };
}

/** What lists and webhooks show of an incident. */
export function toIncident({ id, number, title, key, urgency, status, createdAt }: FakeIncident) {
  return {
    id,
    type: 'incident',
    summary: `[#${number}] ${title}`,
    self: `https://api.pagerduty.com/incidents/${id}`,
    html_url: `https://acme.pagerduty.com/incidents/${id}`,
    number,
    title,
    status,
    incident_key: key,
    urgency,
    created_at: `${createdAt.toISOString().slice(0, 19)}Z`,
    service: SERVICE,
    assignees: [],
    teams: [],
    priority: null,
  };
}

function invalid(problem: string): FakeAnswer {
  return {
    status: 400,
    body: { error: { message: 'Invalid Input Provided', code: 2001, errors: [problem] } },
  };
}

/** An error in PagerDuty's own form. */
export function pagerdutyError(status: number): FakeAnswer {
  return {
    status,
    body: { error: { message: `PagerDuty says ${status}.`, code: 2000 + status, errors: [] } },
  };
}
