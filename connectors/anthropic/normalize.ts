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
} from '../../src/connector/index.js';

/** What every event names: a thing by its id, and whose it is. */
const subject: Part = {
  required: ['data.id'],
  describe: (body) => {
    const id = line(body, 'data', 'id');
    return {
      payload: { thing_id: id, workspace: line(body, 'data', 'workspace_id') },
      keys: { organization_id: line(body, 'data', 'organization_id'), thing_id: id },
      hints: id ? [{ type: 'resource_id', value: id, confidence: 1 }] : [],
    };
  },
};

/** A run of an agent's deployment; its event says how it ended, and nothing else. */
const run: Part = {
  required: [],
  describe: (body) => {
    const end = line(body, 'data', 'type')?.split('.').at(-1);
    const hasEnded = end !== 'started';
    return {
      payload: {
        build_kind: 'deployment_run',
        build_id: line(body, 'data', 'id'),
        state: hasEnded ? 'completed' : 'in_progress',
        conclusion: hasEnded ? end : undefined,
      },
    };
  },
};

/** https://platform.claude.com/docs/en/api/retrieving-message-batches */
const batch: Part = {
  required: ['data.request_counts', 'data.created_at'],
  describe: (body) => ({
    payload: {
      build_kind: 'message_batch',
      build_id: line(body, 'data', 'id'),
      state: 'completed',
      conclusion: at(body, 'data', 'cancel_initiated_at') ? 'canceled' : 'ended',
      started_at: line(body, 'data', 'created_at'),
      completed_at: line(body, 'created_at'),
      requests_succeeded: count(body, 'data', 'request_counts', 'succeeded'),
      requests_errored: count(body, 'data', 'request_counts', 'errored'),
      requests_canceled: count(body, 'data', 'request_counts', 'canceled'),
      requests_expired: count(body, 'data', 'request_counts', 'expired'),
    },
  }),
};

const alarm: Part = {
  required: [],
  describe: (body) => ({
    payload: {
      alarm: 'external_key',
      state: line(body, 'data', 'type') === 'external_key.failed' ? 'ALARM' : 'OK',
    },
  }),
};

/** https://platform.claude.com/docs/en/api/admin-api/usage-cost/get-messages-usage-report: a day, a workspace, a model. */
const usage: Part = {
  required: ['starting_at', 'ending_at', 'data.uncached_input_tokens', 'data.output_tokens'],
  describe: (body) => {
    const uncached = count(body, 'data', 'uncached_input_tokens') ?? 0;
    const cached = count(body, 'data', 'cache_read_input_tokens') ?? 0;
    const written =
      (count(body, 'data', 'cache_creation', 'ephemeral_5m_input_tokens') ?? 0) +
      (count(body, 'data', 'cache_creation', 'ephemeral_1h_input_tokens') ?? 0);
    return {
      payload: {
        usage_kind: 'messages',
        model: line(body, 'data', 'model'),
        ...periodOf(body),
        input_tokens: uncached + cached + written,
        cached_input_tokens: cached,
        cache_write_input_tokens: written,
        output_tokens: count(body, 'data', 'output_tokens'),
        web_searches: count(body, 'data', 'server_tool_use', 'web_search_requests'),
      },
      keys: { workspace_id: line(body, 'data', 'workspace_id') },
    };
  },
};

/** Amounts are text, in hundredths. https://platform.claude.com/docs/en/api/admin-api/usage-cost/get-cost-report */
const cost: Part = {
  required: ['starting_at', 'ending_at', 'data.amount', 'data.currency'],
  describe: (body) => {
    const hundredths = Number(at(body, 'data', 'amount') ?? Number.NaN);
    return {
      payload: {
        metric: 'cost',
        amount: Number.isFinite(hundredths) ? hundredths / 100 : undefined,
        currency: line(body, 'data', 'currency')?.toUpperCase(),
        line_item: line(body, 'data', 'description'),
        model: line(body, 'data', 'model'),
        ...periodOf(body),
      },
      keys: { workspace_id: line(body, 'data', 'workspace_id') },
    };
  },
};

function periodOf(body: unknown) {
  return {
    workspace: line(body, 'data', 'workspace_id'),
    period_start: line(body, 'starting_at'),
    period_end: line(body, 'ending_at'),
  };
}

export const rules: readonly Rule[] = [
  {
    on: on('usage', 'messages'),
    type: 'model_usage_reported',
    identity: '{type}:{starting_at}:{scope}',
    at: 'ending_at',
    parts: [usage],
  },
  {
    on: on('cost', 'line'),
    type: 'metric_reported',
    identity: '{type}:{starting_at}:{scope}',
    at: 'ending_at',
    parts: [cost],
  },
  {
    on: on('message_batch', 'ended'),
    type: 'build_finished',
    identity: 'message_batch:{data.id}:ended',
    at: 'created_at',
    parts: [subject, batch],
  },
  {
    on: on('deployment_run', 'succeeded', 'failed'),
    type: 'build_finished',
    identity: '{data.type}:{data.id}',
    at: 'created_at',
    parts: [subject, run],
  },
  {
    on: on('deployment_run', 'started'),
    type: 'build_started',
    identity: '{data.type}:{data.id}',
    at: 'created_at',
    parts: [subject, run],
  },
  // A key may fail and recover many times.
  {
    on: on('external_key', 'failed', 'recovered'),
    type: 'alarm_state_changed',
    identity: '{data.type}:{data.id}:{created_at}',
    at: 'created_at',
    parts: [subject, alarm],
  },
];

/** What is measured, and no event. */
const METRICS: ReadonlySet<string> = new Set(['model_usage_reported', 'metric_reported']);

const toDraft = createNormalizer({
  rules,
  otherRule: () => ({ on: [], type: 'provider_event', at: 'created_at', parts: [subject] }),
  fallback: () => [],
});

/** One event is one signal. No link: Anthropic gives none. */
export function normalize(event: ProviderEvent): readonly SignalDraft[] {
  const draft = toDraft(event);
  return [METRICS.has(draft.type) ? { ...draft, kind: 'metric' } : draft];
}
