import { describe, expect, it } from 'vitest';
import type { ProviderEvent, SignalDraft } from '../connector/index.js';
import { type SignalOrigin, signalId, toSignals } from './envelope.js';

const origin: SignalOrigin = {
  tenantId: 'acme',
  connectionId: '0190a000-0000-7000-8000-000000000001',
  providerId: 'example',
  environment: 'dev',
  deliveryId: '0190a000-0000-7000-8000-000000000002',
};
const event: ProviderEvent = {
  id: 'evt-1',
  type: 'thing.made',
  body: {},
  receivedAt: new Date('2026-11-01T00:00:00Z'),
};
const draft: SignalDraft = {
  identity: 'thing:1',
  type: 'record_created',
  occurredAt: undefined,
  resource: { repository: 'acme/x' },
  payload: { title: 'x' },
  canonicalKeys: { record_id: '1' },
  evidence: [],
  correlationHints: [],
};

describe('signal ids', () => {
  it('are the same for the same thing, for ever', () => {
    expect(signalId(origin.connectionId, draft)).toBe('69d9c071-25d3-53f3-9c11-adfea889b285');
  });

  it('differ by connection, identity and type, also where the parts run together', () => {
    const ids = [
      signalId('a', { identity: 'bc', type: 'push' }),
      signalId('ab', { identity: 'c', type: 'push' }),
      signalId('a', { identity: 'b', type: 'push' }),
      signalId('a', { identity: 'bc', type: 'pr_opened' }),
      signalId('a', { identity: 'b","push', type: 'push' }),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('toSignals', () => {
  it('completes a draft: time of receipt where the provider gave none, metadata, keys', () => {
    expect(
      toSignals(origin, { ...event, apiVersion: 'v3' }, [{ ...draft, missing: ['thing.owner'] }]),
    ).toEqual([
      expect.objectContaining({
        tenant_id: 'acme',
        type: 'record_created',
        kind: 'event',
        occurred_at: '2026-11-01T00:00:00.000Z',
        repository: 'acme/x',
        correlation_id: 'evt-1',
        content: expect.objectContaining({
          payload: {
            title: 'x',
            provider_metadata: {
              provider_id: 'example',
              connection_id: origin.connectionId,
              event_type: 'thing.made',
              delivery_id: 'evt-1',
              api_version: 'v3',
              missing_fields: ['thing.owner'],
            },
            canonical_keys: { record_id: '1' },
          },
        }),
      }),
    ]);
  });

  it('keeps an event that no draft was made of', () => {
    const [signal] = toSignals(origin, event, []);
    expect(signal).toMatchObject({
      type: 'provider_event',
      content: { payload: { provider_metadata: { event_type: 'thing.made' } } },
    });
  });
});
