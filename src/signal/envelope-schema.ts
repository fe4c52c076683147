import { type JsonSchema, signalKinds, signalTypes } from '../connector/index.js';

const text = { type: 'string' } as const;
const id = { type: 'string', format: 'uuid' } as const;
const moment = { type: 'string', format: 'date-time' } as const;

/** The SignalEnvelope as sinks and REST carry it. The lists of types and kinds are the SPI's own. */
export const envelopeSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'SignalEnvelope',
  description: 'One thing that happened at a provider, in one shape for all providers. Schema version 1.0.0.',
  type: 'object',
  required: [
    'signal_id',
    'tenant_id',
    'environment',
    'producer_id',
    'signal_kind',
    'signal_type',
    'occurred_at',
    'ingested_at',
    'sequence_no',
    'resource',
    'payload',
    'evidence',
    'correlation_hints',
    'schema_version',
  ],
  properties: {
    signal_id: {
      ...id,
      description: 'UUIDv5 of connection, the provider’s event identity and the signal type.',
    },
    tenant_id: text,
    environment: { enum: ['dev', 'stage', 'prod'] },
    producer_id: { ...id, description: 'The connection.' },
    signal_kind: { enum: signalKinds },
    signal_type: { enum: signalTypes },
    occurred_at: moment,
    ingested_at: moment,
    revision: {
      type: 'integer',
      minimum: 0,
      description:
        'How often it was told anew by a replay, under the same signal_id at a new sequence_no; 0 where it is left out. The highest counts.',
    },
    sequence_no: { type: 'string', pattern: '^[0-9]+$', description: 'Decimal; in the order of commits.' },
    trace_id: {
      type: 'string',
      pattern: '^[0-9a-f]{32}$',
      description: 'The trace it came in with: W3C Trace Context.',
    },
    span_id: { type: 'string', pattern: '^[0-9a-f]{16}$', description: 'The span of it to go on from.' },
    correlation_id: { ...text, description: 'The provider’s id of the event.' },
    resource: {
      type: 'object',
      properties: Object.fromEntries(
        ['repository', 'branch', 'pr_id', 'commit', 'service', 'environment'].map((name) => [name, text]),
      ),
    },
    payload: {
      type: 'object',
      required: ['provider_metadata', 'canonical_keys'],
      properties: {
        provider_metadata: {
          type: 'object',
          required: ['provider_id', 'connection_id', 'event_type', 'delivery_id'],
          properties: {
            provider_id: text,
            connection_id: id,
            event_type: text,
            delivery_id: text,
            api_version: text,
            missing_fields: { type: 'array', items: text },
          },
        },
        canonical_keys: { type: 'object', additionalProperties: text },
      },
    },
    evidence: {
      type: 'array',
      items: {
        type: 'object',
        required: ['type', 'url'],
        properties: { type: text, url: { ...text, format: 'uri' }, title: text },
      },
    },
    correlation_hints: {
      type: 'array',
      items: {
        type: 'object',
        required: ['type', 'value', 'confidence'],
        properties: {
          type: { enum: ['resource_id', 'temporal', 'metadata'] },
          value: text,
          confidence: { type: 'number', minimum: 0, maximum: 1 },
        },
      },
    },
    schema_version: { const: '1.0.0' },
  },
};

/** What the journal gives, and who asks decides: in an adapter's envelope only to be held against that. */
const given = ['signal_id', 'tenant_id', 'environment', 'ingested_at', 'sequence_no', 'revision'] as const;

const isOneOf = (names: readonly string[], name: string): boolean => names.includes(name);

/** An envelope as an in-house adapter hands it in: what the journal gives may be left out. */
export const adapterSchema: JsonSchema = {
  ...envelopeSchema,
  title: 'SignalEnvelope of an adapter',
  required: [...envelopeSchema.required.filter((name) => !isOneOf(given, name)), 'correlation_id'],
  additionalProperties: false,
  properties: {
    ...envelopeSchema.properties,
    correlation_id: { ...text, minLength: 1, maxLength: 200 },
  },
};
