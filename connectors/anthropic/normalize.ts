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

export const rules: readonly Rule[] = [
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

const toDraft = createNormalizer({
  rules,
  otherRule: () => ({ on: [], type: 'provider_event', at: 'created_at', parts: [subject] }),
  fallback: () => [],
});

/** One event is one signal. No link: Anthropic gives none. */
export function normalize(event: ProviderEvent): readonly SignalDraft[] {
  return [toDraft(event)];
}
