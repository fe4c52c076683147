import { createHmac } from 'node:crypto';
import { generic } from '../../../connectors/generic/index.js';
import { Secret } from '../../../src/core/secret.js';
import { throttled } from '../../support/fake-behavior.js';
import { serviceError, startFakeService } from '../../support/fake-service.js';
import type { ConformanceSubject } from '../subject.js';

/** As a tenant would write them: a sender that signs id, time and body, and orders that can be made. */
export const settings = {
  baseUrl: 'https://api.shop.example.com/v2',
  verify: { path: '/me', account: 'account.id' },
  webhook: {
    scheme: 'hmac',
    header: 'x-shop-signature',
    prefix: 'sha256=',
    signed: '{id}.{timestamp}.{body}',
    timestamp: { header: 'x-shop-time' },
  },
  event: { idHeader: 'x-shop-delivery', typeField: 'event' },
  actions: {
    make_order: {
      method: 'POST',
      path: '/shops/{shop}/orders',
      headers: { 'x-source': 'tributary/{{source}}' },
      query: { dry: '{{dry}}' },
      body: { sku: '{{sku}}', lines: [{ count: '{{count}}', note: 'for {{shop}}' }] },
      parameters: {
        type: 'object',
        properties: {
          shop: { type: 'string' },
          sku: { type: 'string', maxLength: 20 },
          count: { type: 'integer', minimum: 1 },
          source: { type: 'string' },
          dry: { type: 'boolean' },
        },
        required: ['shop', 'sku'],
      },
      result: { id: 'order.id', url: 'order.url' },
    },
  },
} as const;

export const subject: ConformanceSubject = {
  connector: generic,
  folder: 'generic',
  webhook: {
    signs: ['body', 'time'],
    sign({ headers, body }, secret, at) {
      const id = headers['x-shop-delivery'] ?? 'without-a-name';
      const time = String(Math.floor(at.getTime() / 1000));
      const hmac = createHmac('sha256', secret.reveal()).update(`${id}.${time}.`).update(body);
      const proof = { 'x-shop-time': time, 'x-shop-signature': `sha256=${hmac.digest('hex')}` };
      return { headers: { 'x-shop-delivery': id, ...headers, ...proof }, body, receivedAt: at };
    },
  },
  provider: {
    settings,
    async start() {
      const { provider, token } = await startFakeService();
      return { provider, credential: { token: new Secret(token) }, crowd: () => undefined };
    },
    inputs: {
      custom: { name: 'make_order', parameters: { shop: 'north', sku: 'door', count: 2 } },
    },
    throttles: (now) => [
      {
        name: '429, Retry-After in seconds',
        answer: throttled({ retryAfter: 37 }, now),
        retryAt: new Date(now.getTime() + 37_000),
      },
      {
        name: '429, Retry-After as a date',
        answer: throttled({ retryAfter: new Date('2026-11-21T12:05:00Z') }, now),
        retryAt: new Date('2026-11-21T12:05:00Z'),
      },
    ],
    error: serviceError,
  },
};
