import { at, listAt, textAt } from '../../src/connector/index.js';
import type { Clock } from '../../src/core/clock.js';
import { type FakeAnswer, type FakeProvider, type FakeRequest, startFakeProvider } from './fake-provider.js';

export interface FakeAnthropic {
  readonly provider: FakeProvider;
  /** The only key it accepts. */
  readonly apiKey: string;
  /** A batch that ends at once, or goes on. */
  addBatch(hasEnded: boolean): void;
  /** Another day of the reports; the one before is then counted to its end. */
  addDay(): void;
  /** All that has ended, in the form of webhooks. */
  told(): readonly { readonly type: string; readonly body: Readonly<Record<string, unknown>> }[];
}

type Fields = Readonly<Record<string, unknown>>;

interface Day {
  readonly starting_at: string;
  readonly ending_at: string;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const VERSIONS = new Set(['2026-10-21', '2023-06-01']);
/** What the fake answers to every chat. */
export const ANSWER = 'The door closes when pushed.';

/** Anthropic as far as the connector asks it. Shapes: npm `@anthropic-ai/sdk`, November 2026. */
export async function startFakeAnthropic(clock: Clock): Promise<FakeAnthropic> {
  const provider = await startFakeProvider();
  const apiKey = ['sk', 'ant', 'fake0123456789'].join('-');
  const batches: Fields[] = [];
  const days: Day[] = [];

  const on = (route: string, handle: (request: FakeRequest) => FakeAnswer): void =>
    provider.on(route, (request) => {
      const { status, headers, body } = guard(request) ?? handle(request);
      return { status, headers: { ...standardHeaders(), ...headers }, body };
    });

  function guard({ headers }: FakeRequest): FakeAnswer | undefined {
    // Its SDK sends the key as Bearer since 1.12.
    const given = headers['x-api-key'] ?? headers['authorization']?.replace(/^Bearer /, '');
    if (given !== apiKey) return anthropicError(401);
    return VERSIONS.has(headers['anthropic-version'] ?? '') ? undefined : anthropicError(400);
  }

  /** Two hours into the last day of the reports. */
  function today(): Date {
    const last = days.at(-1);
    return last ? new Date(Date.parse(last.starting_at) + 2 * HOUR_MS) : clock.now();
  }

  function standardHeaders(): Record<string, string> {
    return {
      date: today().toUTCString(),
      'anthropic-organization-id': '0f5b7c5e-2d1a-4b7e-9c55-3f1f0a6d7e21',
      'request-id': 'req_fake4711',
      'anthropic-ratelimit-requests-limit': '50',
      'anthropic-ratelimit-requests-remaining': '49',
      'anthropic-ratelimit-requests-reset': new Date(clock.now().getTime() + 1200).toISOString(),
    };
  }

  function complete({ headers, body }: FakeRequest): FakeAnswer {
    const [model, maxTokens] = [textAt(body, 'model'), at(body, 'max_tokens')];
    const messages = listAt(body, 'messages');
    if (!model || typeof maxTokens !== 'number' || messages.length === 0) return anthropicError(400);
    if (!messages.every((message) => ['user', 'assistant'].includes(textAt(message, 'role') ?? ''))) {
      return anthropicError(400);
    }
    // Whether the server does so is not known; its SDK of this version can't send one.
    if (headers['anthropic-version'] !== '2023-06-01' && at(body, 'temperature') !== undefined) {
      return anthropicError(400);
    }
    provider.addEffect('message');
    return { status: 200, body: answered(model) };
  }

  function list({ query }: FakeRequest): FakeAnswer {
    const found = batches.toReversed();
    const start = query['after_id'] ? found.findIndex(({ id }) => id === query['after_id']) + 1 : 0;
    const data = found.slice(start, start + Number(query['limit'] ?? 20));
    const ids = { first_id: data[0]?.['id'] ?? null, last_id: data.at(-1)?.['id'] ?? null };
    return { status: 200, body: { data, has_more: start + data.length < found.length, ...ids } };
  }

  /** Two days a page, however many are asked for: what is small here leads to further pages. */
  function report(
    { headers, query, search }: FakeRequest,
    results: readonly Fields[],
    ...groups: readonly string[]
  ): FakeAnswer {
    const asked = new URLSearchParams(search).getAll('group_by[]');
    if (asked.join(' ') !== groups.join(' ') || headers['anthropic-version'] !== '2023-06-01') {
      return anthropicError(400);
    }
    const since = Date.parse(query['starting_at'] ?? '');
    const found = days.filter(({ starting_at: start }) => Date.parse(start) >= since);
    const start = Number(query['page']?.replace('page_', '') ?? 0);
    const data = found.slice(start, start + 2).map((day) => ({ ...day, results }));
    const hasMore = start + 2 < found.length;
    const page = hasMore ? `page_${start + 2}` : null;
    return { status: 200, body: { data, has_more: hasMore, next_page: page } };
  }

  on('GET /organizations/me', () => ({
    status: 200,
    body: { id: '0f5b7c5e-2d1a-4b7e-9c55-3f1f0a6d7e21', name: 'Acme', type: 'organization' },
  }));
  on('GET /organizations/usage_report/messages', (request) =>
    report(request, usageLines, 'workspace_id', 'model'),
  );
  on('GET /organizations/cost_report', (request) =>
    report(request, costLines, 'workspace_id', 'description'),
  );
  on('GET /models', () => ({
    status: 200,
    body: {
      data: [
        {
          type: 'model',
          id: 'claude-fake-5',
          display_name: 'Claude Fake 5',
          created_at: '2026-01-01T00:00:00Z',
        },
      ],
      has_more: true,
      first_id: 'claude-fake-5',
      last_id: 'claude-fake-5',
    },
  }));
  on('POST /messages', complete);
  on('GET /messages/batches', list);

  return {
    provider,
    apiKey,
    addBatch: (hasEnded) => void batches.push(batch(`msgbatch_${batches.length + 1}`, clock.now(), hasEnded)),
    addDay() {
      const first = clock.now().getTime() - (clock.now().getTime() % DAY_MS);
      const start = first + days.length * DAY_MS;
      const [starting_at = '', ending_at = ''] = [start, start + DAY_MS].map((time) =>
        new Date(time).toISOString().replace('.000Z', 'Z'),
      );
      days.push({ starting_at, ending_at });
    },
    told: () => [
      ...batches.filter(({ ended_at: end }) => end !== null).map(toldOf),
      ...days.slice(0, -1).flatMap(linesOf),
    ],
  };
}

function toldOf(item: Fields) {
  const type = 'message_batch.ended';
  return { type, body: { type: 'event', created_at: item['ended_at'], data: { ...item, type } } };
}

/** As https://platform.claude.com/docs/en/api/admin-api/usage-cost/get-messages-usage-report shows one. */
const usageLines: readonly Fields[] = [null, 'wrkspc_01JwQvzr7rXLA5AGx3HKfFUJ'].map((workspace_id) => ({
  uncached_input_tokens: 1500,
  cache_creation: { ephemeral_1h_input_tokens: 1000, ephemeral_5m_input_tokens: 500 },
  cache_read_input_tokens: 200,
  output_tokens: 500,
  server_tool_use: { web_search_requests: 10 },
  api_key_id: null,
  workspace_id,
  model: 'claude-fake-5',
  service_tier: null,
  context_window: null,
}));

/** As https://platform.claude.com/docs/en/api/admin-api/usage-cost/get-cost-report shows one. */
const costLines: readonly Fields[] = ['Input', 'Output'].map((kind) => ({
  currency: 'USD',
  amount: '123.78912',
  workspace_id: null,
  description: `Claude Fake 5 Usage - ${kind} Tokens`,
  cost_type: 'tokens',
  context_window: '0-200k',
  model: 'claude-fake-5',
  service_tier: 'standard',
  token_type: kind === 'Input' ? 'uncached_input_tokens' : 'output_tokens',
}));

function linesOf(day: Day) {
  const toLine = (type: string, name: string) => (data: Fields) => {
    const scope = ['workspace_id', name].map((field) => textAt(data, field) ?? 'none').join('/');
    return { type, body: { type, ...day, scope, data } };
  };
  return [
    ...usageLines.map(toLine('usage.messages', 'model')),
    ...costLines.map(toLine('cost.line', 'description')),
  ];
}

function answered(model: string): Fields {
  return {
    id: 'msg_013Zva2CMHLNnXjNJJKqJ2EF',
    type: 'message',
    role: 'assistant',
    model,
    content: [{ type: 'text', text: ANSWER, citations: null }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 21, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 9 },
  };
}

function batch(id: string, now: Date, hasEnded: boolean): Fields {
  const created = new Date(now.getTime() - HOUR_MS);
  return {
    id,
    type: 'message_batch',
    processing_status: hasEnded ? 'ended' : 'in_progress',
    request_counts: {
      processing: hasEnded ? 0 : 100,
      succeeded: hasEnded ? 95 : 0,
      errored: hasEnded ? 5 : 0,
      canceled: 0,
      expired: 0,
    },
    created_at: created.toISOString(),
    ended_at: hasEnded ? now.toISOString() : null,
    expires_at: new Date(created.getTime() + 24 * HOUR_MS).toISOString(),
    archived_at: null,
    cancel_initiated_at: null,
    results_url: hasEnded ? `https://api.anthropic.com/v1/messages/batches/${id}/results` : null,
  };
}

const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'conflict_error',
  413: 'request_too_large',
  422: 'invalid_request_error',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

/** An error in Anthropic's own form. */
export function anthropicError(status: number, details?: object): FakeAnswer {
  const type = TYPES[status] ?? 'api_error';
  const error = { type, message: `Anthropic says ${type}.`, ...(details && { details }) };
  return { status, body: { type: 'error', error, request_id: 'req_fake4711' } };
}
