import { createHmac } from 'node:crypto';
import { pagerduty } from '../../../connectors/pagerduty/index.js';
import { Secret } from '../../../src/core/secret.js';
import { throttled } from '../../support/fake-behavior.js';
import { KEYS, pagerdutyError, startFakePagerDuty, toIncident } from '../../support/fake-pagerduty.js';
import type { ConformanceSubject } from '../subject.js';

export const subject: ConformanceSubject = {
  connector: pagerduty,
  folder: 'pagerduty',
  webhook: {
    signs: ['body'],
    // Written from PagerDuty's page and not with the connector's own code: two readings have to agree.
    sign({ headers, body }, secret, at) {
      const digest = createHmac('sha256', secret.reveal()).update(body).digest('hex');
      return { headers: { ...headers, 'x-pagerduty-signature': `v1=${digest}` }, body, receivedAt: at };
    },
  },
  registration: {
    target: { service: 'PIJ90N7' },
    least: { wanted: ['incident.triggered', 'pagey.ping'], asked: ['incident.triggered'] },
  },
  polling: { settings: {} },
  provider: {
    async start(clock) {
      const { provider, incidents, subscriptions, open } = await startFakePagerDuty(clock);
      return {
        provider,
        credential: { apiKey: new Secret(KEYS.user) },
        crowd: () => open(150),
        hooks: subscriptions.hooks,
        polled: {
          happen: () => open(150),
          told: () =>
            incidents.map((incident) => ({
              type: 'incident.triggered',
              body: {
                event: {
                  id: `01${incident.id}`,
                  event_type: 'incident.triggered',
                  resource_type: 'incident',
                  occurred_at: incident.createdAt.toISOString(),
                  agent: null,
                  data: toIncident(incident),
                },
              },
            })),
        },
      };
    },
    inputs: {
      createIncident: {
        service: 'PIJ90N7',
        title: 'The door does not close',
        body: 'Since **Monday**.',
        urgency: 'LOW',
      },
      resolveIncident: { incident: 'Q000001' },
    },
    throttles: (now) => [
      {
        name: '429, seconds left',
        answer: throttled(
          {
            reset: { header: 'ratelimit-reset', unit: 'seconds', at: new Date(now.getTime() + 37_000) },
            body: LIMITED,
          },
          now,
        ),
        retryAt: new Date(now.getTime() + 37_000),
      },
      {
        name: '429 without headers',
        answer: throttled({ body: LIMITED }, now),
        retryAt: new Date(now.getTime() + 60_000),
      },
    ],
    error: pagerdutyError,
  },
};

const LIMITED = { error: { message: 'Rate Limit Exceeded', code: 2020 } };
