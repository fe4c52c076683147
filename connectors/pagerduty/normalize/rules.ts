import { type Rule, on } from '../../../src/connector/index.js';
import { agent, incident, remark, thing } from './parts.js';

const ofIncident = [agent, incident];
const INCIDENT = 'incident:{event.data.id}';

/** https://developer.pagerduty.com/docs/webhooks-overview#event-types, in the canonical words. */
export const rules: readonly Rule[] = [
  {
    // Once in the life of an incident: hence without a time, so that a poll names it alike.
    on: on('incident', 'triggered'),
    type: 'incident_opened',
    identity: `${INCIDENT}:triggered`,
    at: 'event.data.created_at',
    parts: ofIncident,
  },
  {
    on: on('incident', 'reopened'),
    type: 'incident_opened',
    identity: `${INCIDENT}:reopened:{event.id}`,
    at: 'event.occurred_at',
    parts: ofIncident,
  },
  {
    on: on('incident', 'acknowledged'),
    type: 'incident_acknowledged',
    identity: `${INCIDENT}:acknowledged:{event.id}`,
    at: 'event.occurred_at',
    parts: ofIncident,
  },
  {
    on: on('incident', 'resolved'),
    type: 'incident_resolved',
    identity: `${INCIDENT}:resolved:{event.id}`,
    at: 'event.occurred_at',
    parts: ofIncident,
  },
  {
    on: on('incident', 'annotated'),
    type: 'comment_added',
    identity: 'incident_note:{event.data.id}',
    at: 'event.occurred_at',
    parts: [agent, remark],
  },
  {
    on: ['pagey.ping'],
    type: 'webhook_ping',
    identity: 'pagey.ping:{event.id}',
    at: 'event.occurred_at',
    parts: [],
  },
  // The canonical words have none for these; they are kept whole.
  {
    on: on('incident', 'unacknowledged', 'escalated', 'reassigned', 'delegated', 'priority_updated'),
    type: 'provider_event',
    identity: `{event.event_type}:{event.id}`,
    at: 'event.occurred_at',
    parts: ofIncident,
  },
  {
    on: on('incident', 'status_update_published'),
    type: 'provider_event',
    identity: '{event.event_type}:{event.id}',
    at: 'event.occurred_at',
    parts: [agent, remark],
  },
];

/** For everything that no rule names. */
export function otherRule(): Rule {
  return {
    on: [],
    type: 'provider_event',
    identity: '{event.event_type}:{event.id}',
    at: 'event.occurred_at',
    parts: [agent, thing],
  };
}
