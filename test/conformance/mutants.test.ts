import { describe, expect, it } from 'vitest';
import {
  type ActionOutcome,
  type Connector,
  type Json,
  type PolledEvent,
  ProviderFailure,
  textAt,
} from '../../src/connector/index.js';
import { Secret } from '../../src/core/secret.js';
import { type CheckId, conformanceChecks, conformanceTests } from '../conformance.js';
import { manifestChecks } from './manifest.js';
import {
  connector,
  isSigned,
  prefixOf,
  withAuth,
  withCreateIssue,
  withDraft,
  withFailure,
  withLine,
  withManifest,
  withNormalize,
  withPage,
  withPoll,
  withRegisterLine,
  withRegistration,
  withWebhook,
} from './mutate.js';
import { subject } from './subjects/example.js';

// A suite that can't fail proves nothing: each connector here is wrong in one way, and the check for it must say so.

const { auth, webhook, poll, normalize, actions } = connector as Required<Connector>;
const createIssue = actions.createIssue!;
const addIssueComment = actions.addIssueComment!;
const registration = webhook.registration!;

const STREAMS = poll.streams({});

/** Each event of a poll with something wrong. */
function withPolled(wrong: (event: PolledEvent) => object): Connector {
  return withPage(({ events }) => ({ events: events.map((event) => ({ ...event, ...wrong(event) })) }));
}

/** Goes by a place of its own, and not by the cursor. */
function forgetful(): Connector {
  let place: Json = null;
  return withPoll({
    async page(context, request) {
      const page = await poll.page(context, { ...request, cursor: place });
      place = page.nextCursor;
      return page;
    },
  });
}

/** Says of each event which one came before it. */
function remembering(): Connector {
  let before = '';
  return withDraft(({ type }) => {
    const payload = { before };
    before = type;
    return { payload };
  });
}

const forged: ActionOutcome = { externalId: 'iss_1', output: { id: 'iss_1' } };

const mutants: readonly [string, readonly CheckId[], Connector][] = [
  ['has another id', ['META-01'], withManifest({ id: 'other' })],
  ['calls in the clear', ['META-02'], withManifest({ baseUrl: 'http://api.example.com' })],
  [
    'invents a signal type',
    ['META-03'],
    withManifest({ triggers: [{ signalType: 'door_opened', via: [] }] }),
  ],
  [
    'announces what it can’t do',
    ['META-03'],
    withManifest({ triggers: [{ signalType: 'push', via: ['PROXY'] }] }),
  ],
  [
    'asks for a scope without a reason',
    ['META-04'],
    withManifest({ scopes: [{ scope: 'all', reason: ' ' }] }),
  ],
  ['has a broken schema', ['META-05'], withManifest({ settingsSchema: { type: 'objekt' } })],
  ['does not describe an action', ['META-07'], withCreateIssue({ description: '' })],
  ['requires a scope nobody is asked for', ['META-08'], withCreateIssue({ requiredScopes: ['admin'] })],

  ['does not know who it is', ['AUTH-01'], withAuth({ sign: () => ({}) })],
  [
    'takes any credential',
    ['AUTH-02'],
    withAuth({ identify: () => Promise.resolve({ account: { id: '1', name: 'A' }, grantedScopes: [] }) }),
  ],
  [
    'puts its token into the address',
    ['AUTH-03'],
    withAuth({
      identify: (context) =>
        auth.identify({
          ...context,
          request: (request) => context.request({ ...request, query: { token: 'ex_live_2f9c6a1d7e' } }),
        }),
    }),
  ],

  [
    'signs by its own token only',
    ['AUTH-04'],
    withAuth({ sign: ({ token }) => ({ authorization: `Bearer ${token?.reveal()}` }) }),
  ],
  [
    'shows its refresh token',
    ['AUTH-04'],
    withAuth({
      sign: (fields) => ({
        authorization: Object.values(fields)
          .map((field) => field.reveal())
          .join(),
      }),
    }),
  ],

  [
    'accepts everything',
    [2, 3, 4, 5, 6, 7, 8, 10, 13].map((number) => `WEBHOOK-${String(number).padStart(2, '0')}` as CheckId),
    withWebhook({ verify: () => true }),
  ],
  ['accepts nothing', ['WEBHOOK-01', 'WEBHOOK-09'], withWebhook({ verify: () => false })],
  [
    'compares what there is of the signature',
    ['WEBHOOK-02', 'WEBHOOK-04'],
    withWebhook({
      verify: (delivery) => 'v1='.startsWith(delivery.headers['example-signature']?.slice(0, 3) ?? ''),
    }),
  ],
  [
    'signs what it has parsed',
    ['WEBHOOK-05'],
    withWebhook({
      verify(delivery, secrets) {
        const pretty = `${JSON.stringify(JSON.parse(delivery.body.toString()), null, 2)}\n`;
        return isSigned(delivery, secrets, [prefixOf(delivery), pretty]);
      },
    }),
  ],
  [
    'forgets to look at the clock',
    ['WEBHOOK-08'],
    withWebhook({
      verify: (delivery, secrets) => isSigned(delivery, secrets, [prefixOf(delivery), delivery.body]),
    }),
  ],
  [
    'knows one secret only',
    ['WEBHOOK-09'],
    withWebhook({ verify: (delivery, secrets) => webhook.verify(delivery, secrets.slice(0, 1)) }),
  ],
  [
    'stumbles over a missing header',
    ['WEBHOOK-02', 'WEBHOOK-10'],
    withWebhook({
      verify: (delivery, secrets) =>
        !!delivery.headers['example-signature']!.trim() && webhook.verify(delivery, secrets),
    }),
  ],
  [
    'stumbles over a body that is no object',
    ['WEBHOOK-11'],
    withWebhook({ identify: (_, body) => ({ id: '1', type: (body as { type: string }).type.trim() }) }),
  ],
  [
    'gives each delivery a name of its own',
    ['WEBHOOK-12'],
    withWebhook({
      identify: (delivery, body) => ({
        ...webhook.identify(delivery, body),
        id: String(delivery.headers['example-timestamp']),
      }),
    }),
  ],

  [
    'takes everything for a handshake',
    ['WEBHOOK-14'],
    withWebhook({ handshake: { signed: () => ({ text: 'yes' }) } }),
  ],
  [
    'takes any text for a secret',
    ['WEBHOOK-14'],
    withWebhook({ handshake: { secretOf: (body) => textAt(body, 'type') } }),
  ],
  [
    'stumbles over an account that is not there',
    ['WEBHOOK-15'],
    withWebhook({ accountOf: (_, body) => (body as { account: string }).account.trim() }),
  ],
  ['has a broken target', ['META-05'], withRegistration({ targetSchema: { type: 'objekt' } })],
  [
    'has it signed by another secret',
    ['WEBHOOK-REG-01'],
    withRegistration({
      register: (context, wanted) =>
        registration.register(context, { ...wanted, secret: new Secret('none') }),
    }),
  ],
  [
    'asks for everything',
    ['WEBHOOK-REG-02'],
    withRegistration({
      register: (context, wanted) =>
        registration.register(context, { ...wanted, events: ['issue.created', 'issue.closed'] }),
    }),
  ],
  [
    'sets a new one up each time',
    ['WEBHOOK-REG-03', 'WEBHOOK-REG-04'],
    withRegistration({
      register: (context, wanted) =>
        registration.register(
          {
            ...context,
            request: async (sent) =>
              sent.method === 'GET'
                ? { status: 200, headers: {}, body: { items: [] } }
                : context.request(sent),
          },
          wanted,
        ),
    }),
  ],
  [
    'loses what was rotated',
    ['WEBHOOK-REG-05'],
    withRegistration({
      update: (context, registered, wanted) =>
        registration.update(context, registered, { ...wanted, secret: new Secret('none') }),
    }),
  ],
  [
    'leaves it there',
    ['WEBHOOK-REG-06', 'WEBHOOK-REG-07'],
    withRegistration({ unregister: () => Promise.resolve() }),
  ],
  [
    'insists that it was there',
    ['WEBHOOK-REG-06'],
    withRegistration({
      async unregister(context, { externalId: id }) {
        const path = '/v1/projects/{project}/webhooks/{id}';
        await context.request({ method: 'DELETE', path, params: { project: 'DEMO', id } });
      },
    }),
  ],
  [
    'throws what nobody understands',
    ['WEBHOOK-REG-07', 'WEBHOOK-REG-08'],
    withRegistration({
      register: (context, wanted) =>
        registration.register(context, wanted).catch(() => Promise.reject(new Error('It did not work.'))),
    }),
  ],
  [
    'puts the secret into the address',
    ['WEBHOOK-REG-09'],
    withRegisterLine((sent) => ({ ...sent, query: { secret: 'whsec of the conformance suite' } })),
  ],

  ['says something else', ['NORMALIZE-01'], withDraft(() => ({ payload: {} }))],
  ['plays dice', ['NORMALIZE-02'], withDraft(() => ({ payload: { dice: Math.random() } }))],
  [
    'writes into the event',
    ['NORMALIZE-03'],
    withNormalize((event) => {
      (event.body as { seen?: boolean }).seen = true;
      return normalize(event);
    }),
  ],
  [
    'drops what is thin',
    ['NORMALIZE-04'],
    withNormalize((event) => (textAt(event.body, 'type') ? normalize(event) : [])),
  ],
  [
    'trusts the documentation',
    ['NORMALIZE-04'],
    withNormalize((event) => {
      const { actor } = event.body as { actor?: { id: string } };
      return actor && !actor.id.length ? [] : normalize(event);
    }),
  ],
  [
    'drops what it does not know',
    ['NORMALIZE-05'],
    withNormalize((event) => normalize(event).filter(({ type }) => type !== 'provider_event')),
  ],
  ['fills what is the core’s', ['NORMALIZE-06'], withDraft(() => ({ payload: { provider_metadata: {} } }))],
  ['has no identity', ['NORMALIZE-07'], withDraft(() => ({ identity: '' }))],
  ['has an endless identity', ['NORMALIZE-07'], withDraft(() => ({ identity: 'x'.repeat(256) }))],
  ['says it twice', ['NORMALIZE-07'], withNormalize((event) => [...normalize(event), ...normalize(event)])],
  [
    'keeps what JSON can’t',
    ['NORMALIZE-08'],
    withDraft(() => ({ payload: { at: new Date(0), none: undefined } })),
  ],
  [
    'is too sure',
    ['NORMALIZE-09'],
    withDraft(() => ({ correlationHints: [{ type: 'metadata', value: 'x', confidence: 2 }] })),
  ],
  ['is lost in time', ['NORMALIZE-09'], withDraft(() => ({ occurredAt: new Date(Number.NaN) }))],
  ['does what it did not announce', ['NORMALIZE-10'], withDraft(() => ({ type: 'push' }))],
  ['names signals by their delivery', ['NORMALIZE-11'], withDraft(({ id }) => ({ identity: id }))],
  ['remembers what came before', ['NORMALIZE-13'], remembering()],
  ['does not keep what it needs', ['NORMALIZE-12'], withManifest({ redact: [['issue', 'title']] })],

  ['has nothing to ask for', ['POLL-01'], withPoll({ streams: () => [] })],
  ['has two streams of one name', ['POLL-01'], withPoll({ streams: () => [...STREAMS, ...STREAMS] })],
  [
    'never gets there',
    ['POLL-02', 'POLL-04'],
    withPage((_, { cursor }) => ({ isComplete: false, nextCursor: cursor })),
  ],
  ['reads the first page only', ['POLL-02'], withPage(() => ({ isComplete: true }))],
  [
    'keeps what JSON can’t in its cursor',
    ['POLL-03'],
    withPage(({ nextCursor }) => ({ nextCursor: { at: nextCursor, none: undefined } })),
  ],
  ['remembers its place elsewhere', ['POLL-04', 'POLL-05'], forgetful()],
  ['finds the same under other names', ['POLL-05'], withPolled(() => ({ id: crypto.randomUUID() }))],
  ['gives endless names', ['POLL-05'], withPolled(({ id }) => ({ id: id.padEnd(251, 'x') }))],
  [
    'tells it in other words than webhooks',
    ['POLL-06'],
    withPolled(({ body }) => ({ body: { ...body, occurred_at: '2026-01-01T00:00:00Z' } })),
  ],
  [
    'begins behind what is to come',
    ['POLL-07'],
    withPage(({ isComplete, nextCursor }) => (isComplete ? { nextCursor: '9999' } : { nextCursor })),
  ],
  [
    'takes no answer for an empty one',
    ['POLL-08', 'POLL-09'],
    withPoll({
      page: (context, request) =>
        poll
          .page(context, request)
          .catch(() => ({ events: [], nextCursor: request.cursor, isComplete: true })),
    }),
  ],
  ['trusts our clock', ['POLL-10'], withPage((_, { now }) => ({ nextCursor: now.toISOString() }))],
  [
    'keeps what JSON can’t in its events',
    ['POLL-11'],
    withPolled(({ body }) => ({ body: { ...body, at: new Date() } })),
  ],

  [
    'does not name what it made',
    ['ACTION-01'],
    withCreateIssue({ execute: () => Promise.resolve({ ...forged, externalId: '' }) }),
  ],
  [
    'answers what it did not promise',
    ['ACTION-01'],
    withCreateIssue({ execute: () => Promise.resolve({ ...forged, output: {} }) }),
  ],
  ['only says that it did', ['ACTION-02'], withCreateIssue({ execute: () => Promise.resolve(forged) })],
  ['does it twice', ['ACTION-02'], withLine((request) => request().then(request))],
  [
    'tries again by itself',
    ['ACTION-12', 'ACTION-13', 'ACTION-16', 'ACTION-21'],
    withLine((request) => request().catch(request)),
  ],
  [
    'knows one category',
    [
      'ACTION-03',
      'ACTION-04',
      'ACTION-05',
      'ACTION-06',
      'ACTION-07',
      'ACTION-08',
      'ACTION-09',
      'ACTION-10',
      'ACTION-11',
    ],
    withFailure({ category: 'UNKNOWN' }),
  ],
  ['forgets when to come back', ['ACTION-10'], withFailure({ retryAt: new Date(0) })],
  [
    'calls everything safe to repeat',
    ['ACTION-08', 'ACTION-12', 'ACTION-13', 'ACTION-14', 'ACTION-15', 'ACTION-16'],
    withCreateIssue({
      execute: (context, input) =>
        createIssue.execute(context, input).catch((error: ProviderFailure) => {
          throw new ProviderFailure({ ...error.details, isAmbiguous: false });
        }),
    }),
  ],
  ['calls everything doubtful', ['ACTION-03', 'ACTION-10', 'ACTION-11'], withFailure({ isAmbiguous: true })],
  [
    'takes what comes for success',
    ['ACTION-14', 'ACTION-15'],
    withCreateIssue({
      async execute(context, input) {
        const { body } = await context.request({
          method: 'POST',
          path: '/v1/projects/{project}/issues',
          params: { project: input.project },
          body: { title: input.title },
        });
        return { ...forged, externalId: String(textAt(body, 'id')) };
      },
    }),
  ],
  [
    'claims a key that it does not send',
    ['ACTION-16'],
    {
      ...connector,
      actions: {
        addIssueComment: {
          ...addIssueComment,
          execute: (context, input) =>
            addIssueComment.execute({ ...context, actionId: crypto.randomUUID() }, input),
        },
      },
    },
  ],
  [
    'never finds it',
    ['ACTION-16', 'ACTION-18', 'ACTION-19'],
    withCreateIssue({ reconcile: () => Promise.resolve(null) }),
  ],
  ['finds what is not there', ['ACTION-17'], withCreateIssue({ reconcile: () => Promise.resolve(forged) })],
  [
    'reads one page only',
    ['ACTION-18'],
    withCreateIssue({
      reconcile: (context, input) =>
        createIssue.reconcile!(
          {
            ...context,
            request: async (request) => {
              const response = await context.request(request);
              return { ...response, body: { ...(response.body as object), next_cursor: null } };
            },
          },
          input,
        ),
    }),
  ],
  ['finds something else', ['ACTION-19'], withCreateIssue({ reconcile: () => Promise.resolve(forged) })],
  ['tells its token in an error', ['ACTION-20'], withFailure({ message: 'Not with ex_live_2f9c6a1d7e.' })],
];

async function isRed(mutant: Connector, id: CheckId): Promise<boolean> {
  for (const test of conformanceTests({ ...subject, connector: mutant })) {
    if (test.id !== id) continue;
    try {
      await test.run();
    } catch {
      return true;
    }
  }
  return false;
}

describe('a connector that', () => {
  it.each(mutants)('%s fails %j', async (_, ids, mutant) => {
    const verdicts = await Promise.all(ids.map(async (id) => [id, await isRed(mutant, id)]));
    expect(verdicts).toEqual(ids.map((id) => [id, true]));
  });
});

it('a connector without a README fails ["META-06"]', () => {
  const checks = [...manifestChecks({ ...subject, folder: 'nowhere' })];
  expect(() => checks.find(({ id }) => id === 'META-06')?.run()).toThrow('expected false to be true');
});

it('every check is seen failing above', () => {
  const seen = new Set<string>(['META-06', ...mutants.flatMap(([, ids]) => ids)]);
  expect(Object.keys(conformanceChecks).filter((id) => !seen.has(id))).toEqual([]);
});
