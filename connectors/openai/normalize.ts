import {
  type Part,
  type ProviderEvent,
  type Rule,
  type SignalDraft,
  at,
  count,
  createNormalizer,
  line,
  on,
  textAt,
} from '../../src/connector/index.js';

/** What runs at OpenAI and comes to an end by itself. A webhook brings its id alone; a poll the whole of it. */
function job(kind: string): Part {
  return {
    required: [],
    describe: (body) => {
      const id = line(body, 'data', 'id');
      return {
        payload: {
          build_kind: kind,
          build_id: id,
          state: 'completed',
          conclusion: textAt(body, 'type')?.split('.').at(-1),
          model: line(body, 'data', 'model'),
          endpoint: line(body, 'data', 'endpoint'),
          fine_tuned_model: line(body, 'data', 'fine_tuned_model'),
          error:
            line(body, 'data', 'error', 'message') ?? line(body, 'data', 'errors', 'data', '0', 'message'),
          requests_total: count(body, 'data', 'request_counts', 'total'),
          requests_completed: count(body, 'data', 'request_counts', 'completed'),
          requests_failed: count(body, 'data', 'request_counts', 'failed'),
          input_tokens: count(body, 'data', 'usage', 'input_tokens'),
          output_tokens: count(body, 'data', 'usage', 'output_tokens'),
        },
        keys: { job_id: id },
        hints: id ? [{ type: 'resource_id', value: id, confidence: 1 }] : [],
      };
    },
  };
}

/** One line of a usage report: a day, a model. https://platform.openai.com/docs/api-reference/usage */
const usage: Part = {
  required: ['start_time', 'end_time', 'data.num_model_requests', 'data.input_tokens'],
  describe: (body) => ({
    payload: {
      usage_kind: line(body, 'type')?.split('.').at(-1),
      model: line(body, 'data', 'model'),
      project: line(body, 'data', 'project_id'),
      period_start: timeText(at(body, 'start_time')),
      period_end: timeText(at(body, 'end_time')),
      requests: count(body, 'data', 'num_model_requests'),
      input_tokens: count(body, 'data', 'input_tokens'),
      cached_input_tokens: count(body, 'data', 'input_cached_tokens'),
      output_tokens: count(body, 'data', 'output_tokens'),
    },
    keys: { project_id: line(body, 'data', 'project_id') },
  }),
};

/** One line of the costs of a day. https://platform.openai.com/docs/api-reference/usage/costs */
const cost: Part = {
  required: ['start_time', 'end_time', 'data.amount.value', 'data.amount.currency'],
  describe: (body) => {
    const amount = at(body, 'data', 'amount', 'value');
    return {
      payload: {
        metric: 'cost',
        amount: typeof amount === 'number' ? amount : undefined,
        currency: line(body, 'data', 'amount', 'currency')?.toUpperCase(),
        line_item: line(body, 'data', 'line_item'),
        project: line(body, 'data', 'project_id'),
        period_start: timeText(at(body, 'start_time')),
        period_end: timeText(at(body, 'end_time')),
      },
      keys: { project_id: line(body, 'data', 'project_id') },
    };
  },
};

/** Of a response, a call or anything OpenAI invents: its id and no more is known. */
const thing: Part = {
  required: [],
  describe: (body) => {
    const id = line(body, 'data', 'id') ?? line(body, 'data', 'call_id') ?? line(body, 'data', 'session_id');
    return {
      payload: { thing_id: id },
      hints: id ? [{ type: 'resource_id', value: id, confidence: 1 }] : [],
    };
  },
};

/** A job ends once: how it ended is part of what happened, and the delivery is not. */
function finished(kind: string, event: string, ...ends: readonly string[]): Rule {
  return {
    on: on(event, ...ends),
    type: 'build_finished',
    identity: '{type}:{data.id}',
    at: 'created_at',
    parts: [job(kind)],
  };
}

/** https://platform.openai.com/docs/api-reference/webhook-events */
export const rules: readonly Rule[] = [
  finished('batch', 'batch', 'completed', 'failed', 'expired', 'cancelled'),
  finished('fine_tuning_job', 'fine_tuning.job', 'succeeded', 'failed', 'cancelled'),
  finished('eval_run', 'eval.run', 'succeeded', 'failed', 'canceled'),
  {
    on: on('usage', 'completions', 'embeddings'),
    type: 'model_usage_reported',
    identity: '{type}:{start_time}:{scope}',
    at: 'end_time',
    parts: [usage],
  },
  {
    on: on('cost', 'line'),
    type: 'metric_reported',
    identity: '{type}:{start_time}:{scope}',
    at: 'end_time',
    parts: [cost],
  },
];

/** What is measured, and no event. */
const METRICS: ReadonlySet<string> = new Set(['model_usage_reported', 'metric_reported']);

const toDraft = createNormalizer({
  rules,
  otherRule: () => ({ on: [], type: 'provider_event', at: 'created_at', parts: [thing] }),
  fallback: () => [],
});

/** One event is one signal. No link: OpenAI gives none, and its pages for people have no documented addresses. */
export function normalize(event: ProviderEvent): readonly SignalDraft[] {
  const draft = toDraft(event);
  return [METRICS.has(draft.type) ? { ...draft, kind: 'metric' } : draft];
}

function timeText(epochSeconds: unknown): string | undefined {
  const time = typeof epochSeconds === 'number' ? new Date(epochSeconds * 1000) : undefined;
  return time && !Number.isNaN(time.getTime()) ? time.toISOString() : undefined;
}
