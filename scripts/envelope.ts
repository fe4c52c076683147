import { signalKinds, signalTypes } from '../src/connector/index.js';
import { writeOrCheck } from './generated.js';

const text = { type: 'string' } as const;
const id = { type: 'string', format: 'uuid' } as const;
const moment = { type: 'string', format: 'date-time' } as const;

/** The SignalEnvelope as sinks and REST carry it. The lists of types and kinds are the SPI's own. */
const schema = {
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
    sequence_no: { type: 'string', pattern: '^[0-9]+$', description: 'Decimal; in the order of commits.' },
    trace_id: text,
    span_id: text,
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

writeOrCheck('schema/signal-envelope.schema.json', `${JSON.stringify(schema, null, 2)}\n`, 'npm run schema');
