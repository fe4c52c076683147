import { at, compact, listAt, textAt } from '../../src/connector/index.js';
import type { Clock } from '../../src/core/clock.js';
import { type FakeAnswer, type FakeProvider, type FakeRequest, startFakeProvider } from './fake-provider.js';

export interface FakeOpenAI {
  readonly provider: FakeProvider;
  /** The only key it accepts. */
  readonly apiKey: string;
  /** A batch that ends at once, or goes on where there is no status. */
  addBatch(status?: 'completed' | 'failed' | 'expired' | 'cancelled'): void;
  addFineTuningJob(status?: 'succeeded' | 'failed' | 'cancelled'): void;
  /** Another day of usage; the one before is then counted to its end. */
  addDay(): void;
  /** All that has ended and all days that are over, as webhooks would bring them, had usage any. */
  told(): readonly { readonly type: string; readonly body: Readonly<Record<string, unknown>> }[];
}

type Fields = Readonly<Record<string, unknown>>;

const MODELS = ['gpt-5.1', 'text-embedding-3-small'];
const DAY_SECONDS = 86_400;
/** What the fake answers to every chat. */
export const ANSWER = 'The door closes when pushed.';

/** OpenAI as far as the connector asks it. Shapes: https://github.com/openai/openai-openapi, August 2026. */
export async function startFakeOpenAI(clock: Clock): Promise<FakeOpenAI> {
  const provider = await startFakeProvider();
  const apiKey = ['sk', 'proj', 'fake0123456789'].join('-');
  const batches: Fields[] = [];
  const jobs: Fields[] = [];
  const days: Fields[] = [];
  const seconds = (): number => Math.floor(clock.now().getTime() / 1000);

  const on = (route: string, handle: (request: FakeRequest, kind: string) => FakeAnswer): void =>
    provider.on(route, (request, { kind = '' }) => {
      const isKnown = request.headers['authorization'] === `Bearer ${apiKey}`;
      const { status, headers, body } = isKnown ? handle(request, kind) : openaiError(401);
      return { status, headers: { ...standardHeaders, date: today(), ...headers }, body };
    });

  /** Two hours into the last day of usage. */
  function today(): string {
    const start = Number(days.at(-1)?.['start_time'] ?? seconds());
    return new Date((start + 7200) * 1000).toUTCString();
  }

  function complete({ body }: FakeRequest): FakeAnswer {
    const model = textAt(body, 'model');
    if (at(body, 'max_tokens') !== undefined) return openaiError(400, 'unsupported_parameter');
    if (!MODELS.includes(model ?? '')) return openaiError(404, 'model_not_found');
    if (!listAt(body, 'messages').every(isMessage)) return openaiError(400, 'invalid_value');
    provider.addEffect('completion');
    return { status: 200, body: completion(model, seconds()) };
  }

  function embed({ body }: FakeRequest): FakeAnswer {
    const texts = listAt(body, 'input');
    if (texts.length === 0) return openaiError(400, 'invalid_value');
    provider.addEffect('embedding');
    const dimensions = Number(at(body, 'dimensions') ?? 4);
    const data = texts.map((text, index) => ({
      object: 'embedding',
      index,
      embedding: Array.from({ length: dimensions }, (_, place) => String(text).length / (place + 1)),
    }));
    const usage = { prompt_tokens: texts.length * 5, total_tokens: texts.length * 5 };
    return { status: 200, body: { object: 'list', model: textAt(body, 'model'), data, usage } };
  }

  on('GET /models', () => ({
    status: 200,
    body: {
      object: 'list',
      data: MODELS.map((id) => ({ id, object: 'model', created: 1_767_225_600, owned_by: 'system' })),
    },
  }));
  on('POST /chat/completions', complete);
  on('POST /embeddings', embed);
  on('GET /batches', (request) => withEnds(newestFirst(batches, request)));
  on('GET /fine_tuning/jobs', (request) => newestFirst(jobs, request));
  on('GET /organization/usage/{kind}', (request, kind) => reportPage(kind, days, request));
  on('GET /organization/costs', (request) => reportPage('costs', days, request));

  return {
    provider,
    apiKey,
    addBatch: (status) =>
      void batches.push(batch(`batch_${batches.length + 1}`, seconds(), status ?? 'in_progress')),
    addFineTuningJob: (status) =>
      void jobs.push(fineTuningJob(`ftjob-${jobs.length + 1}`, seconds(), status ?? 'running')),
    addDay() {
      const start = seconds() - (seconds() % DAY_SECONDS) + days.length * DAY_SECONDS;
      days.push({ object: 'bucket', start_time: start, end_time: start + DAY_SECONDS });
    },
    told: () => [
      ...batches.flatMap((one) => ended('batch', one)),
      ...jobs.flatMap((one) => ended('fine_tuning.job', one)),
      ...days
        .slice(0, -1)
        .flatMap((day) => ['completions', 'embeddings', 'costs'].flatMap((kind) => linesOf(kind, day))),
    ],
  };
}

const standardHeaders = {
  'openai-organization': 'org-acme',
  'openai-project': 'proj_acme',
  'openai-version': '2020-10-01',
  'x-request-id': 'req_fake4711',
  'x-ratelimit-limit-requests': '500',
  'x-ratelimit-remaining-requests': '499',
  'x-ratelimit-reset-requests': '120ms',
};

const ROLES = new Set(['system', 'developer', 'user', 'assistant']);

function isMessage(message: unknown): boolean {
  return ROLES.has(textAt(message, 'role') ?? '') && textAt(message, 'content') !== undefined;
}

function completion(model: string | undefined, created: number): Fields {
  return {
    id: 'chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT',
    object: 'chat.completion',
    created,
    model: `${model}-2026-01-15`,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: ANSWER, refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: { prompt_tokens: 19, completion_tokens: 10, total_tokens: 29 },
    service_tier: 'default',
  };
}

function batch(id: string, now: number, status: string): Fields {
  return {
    id,
    object: 'batch',
    endpoint: '/v1/chat/completions',
    errors: null,
    input_file_id: 'file-abc123',
    completion_window: '24h',
    status,
    created_at: now - 3600,
    in_progress_at: now - 3500,
    expires_at: now + 82_800,
    ...Object.fromEntries(
      ['completed', 'failed', 'expired', 'cancelled'].map((end) => [
        `${end}_at`,
        end === status ? now : null,
      ]),
    ),
    request_counts: { total: 100, completed: status === 'completed' ? 95 : 0, failed: 5 },
    metadata: { batch_description: 'Nightly job' },
  };
}

function fineTuningJob(id: string, now: number, status: string): Fields {
  return {
    object: 'fine_tuning.job',
    id,
    model: 'gpt-5.1-mini',
    created_at: now - 7200,
    finished_at: status === 'running' ? null : now,
    fine_tuned_model: status === 'succeeded' ? 'ft:gpt-5.1-mini:acme::7q8mpxmy' : null,
    status,
    error: status === 'failed' ? { code: 'x', message: 'Too few examples.', param: 'training_file' } : null,
    training_file: 'file-abc123',
  };
}

/** The page behind `after`, as all of OpenAI's lists of things go. */
function newestFirst(all: readonly Fields[], { query }: FakeRequest): FakeAnswer {
  const found = all.toReversed();
  const start = query['after'] ? found.findIndex(({ id }) => id === query['after']) + 1 : 0;
  const data = found.slice(start, start + Number(query['limit'] ?? 20));
  const hasMore = start + data.length < found.length;
  return { status: 200, body: { object: 'list', data, has_more: hasMore } };
}

/** Batches alone name the first and the last of a page, where there is any. */
function withEnds({ status, body }: FakeAnswer): FakeAnswer {
  const data = listAt(body, 'data');
  const ends = compact({ first_id: textAt(data[0], 'id'), last_id: textAt(data.at(-1), 'id') });
  return { status, body: { ...(body as Fields), ...ends } };
}

/** Two days a page, however many are asked for: what is small here leads to further pages. */
function reportPage(kind: string, days: readonly Fields[], { query }: FakeRequest): FakeAnswer {
  const found = days.filter((day) => Number(day['start_time']) >= Number(query['start_time']));
  const start = Number(query['page']?.replace('page_', '') ?? 0);
  const data = found.slice(start, start + 2).map((day) => ({ ...day, results: resultsOf(kind) }));
  const hasMore = start + 2 < found.length;
  const body = { object: 'page', data, has_more: hasMore, next_page: hasMore ? `page_${start + 2}` : null };
  return { status: 200, body };
}

function resultsOf(kind: string): readonly Fields[] {
  if (kind === 'costs') {
    return ['gpt-5.1, input', 'gpt-5.1, output'].map((line_item) => ({
      object: 'organization.costs.result',
      amount: { value: 0.06, currency: 'usd' },
      line_item,
      project_id: 'proj_acme',
    }));
  }
  return ['gpt-5.1', 'gpt-5.1-mini'].map((model) => ({
    object: `organization.usage.${kind}.result`,
    input_tokens: 1000,
    ...(kind === 'completions' && { input_cached_tokens: 400, output_tokens: 500 }),
    num_model_requests: 5,
    project_id: null,
    model,
  }));
}

function ended(event: string, job: Fields) {
  const status = String(job['status']);
  const time = job[event === 'batch' ? `${status}_at` : 'finished_at'];
  if (typeof time !== 'number') return [];
  const type = `${event}.${status}`;
  return [
    {
      type,
      body: {
        id: `evt_${String(job['id'])}`,
        object: 'event',
        type,
        created_at: time,
        data: { id: job['id'] },
      },
    },
  ];
}

function linesOf(kind: string, { start_time, end_time }: Fields) {
  const type = kind === 'costs' ? 'cost.line' : `usage.${kind}`;
  return resultsOf(kind).map((data) => {
    const thing = textAt(data, 'line_item') ?? textAt(data, 'model');
    const scope = `${thing}/${textAt(data, 'project_id') ?? 'all'}`;
    return { type, body: { type, start_time, end_time, scope, data } };
  });
}

const CODES: Readonly<Record<number, readonly [code: string, type: string, message: string]>> = {
  401: ['invalid_api_key', 'invalid_request_error', 'Incorrect API key provided.'],
  403: ['missing_scope', 'invalid_request_error', 'You have insufficient permissions for this operation.'],
  404: [
    'model_not_found',
    'invalid_request_error',
    'The model does not exist or you do not have access to it.',
  ],
  429: ['rate_limit_exceeded', 'requests', 'Rate limit reached for requests.'],
};

/** An error in OpenAI's own form. */
export function openaiError(status: number, code?: string, message?: string): FakeAnswer {
  const [known, type, text] = CODES[status] ?? ['server_error', 'server_error', 'The server had an error.'];
  return { status, body: { error: { message: message ?? text, type, param: null, code: code ?? known } } };
}
