import {
  type ActionContext,
  type ActionOutcome,
  type ActionSpec,
  type VerbInput,
  at,
  compact,
  isProviderFailure,
  parseMarkdown,
  plainTextOf,
  textAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { outcomeOf, outputSchema, writing } from './incident.js';

/** PagerDuty's clock may be behind ours. */
const SKEW_MS = 5 * 60_000;

/**
 * The action's id is the incident's key: while an incident of that key is open, PagerDuty opens no second one.
 * https://developer.pagerduty.com/api-reference/a7d81b0e9200f-create-an-incident
 */
export const createIncident: ActionSpec<'createIncident'> = {
  title: 'Open an incident',
  description: 'Opens an incident on a service, which alerts whoever is on call there.',
  requiredScopes: ['incidents.write'],
  idempotency: 'NATIVE',
  outputSchema,

  async execute(context, input) {
    try {
      const body = { incident: toIncident(context, input) };
      const request = { method: 'POST', path: '/incidents', body, ...writing(context) } as const;
      const response = await context.request(request);
      const outcome = outcomeOf(at(response.body, 'incident'));
      if (!outcome) throw unexpectedAnswer(response, 'the incident', { isAmbiguous: true });
      return outcome;
    } catch (error) {
      if (!isProviderFailure(error, { code: 'incident_exists' })) throw error;
      // An earlier attempt has opened it, and its answer was lost.
      const known = await findOpened(context);
      if (!known) throw error;
      return known;
    }
  },
};

function toIncident(
  { actionId }: ActionContext,
  { service, title, body, urgency }: VerbInput<'createIncident'>,
) {
  return compact({
    type: 'incident',
    title,
    service: { id: service, type: 'service_reference' },
    urgency: urgency?.toLowerCase(),
    incident_key: actionId,
    // Details are shown as they are.
    body:
      body === undefined ? undefined : { type: 'incident_body', details: plainTextOf(parseMarkdown(body)) },
  });
}

/** Among those that were opened since just before the action began, in order of creation. */
async function findOpened({
  request,
  actionId,
  startedAt,
}: ActionContext): Promise<ActionOutcome | undefined> {
  const since = new Date(startedAt.getTime() - SKEW_MS).toISOString();
  for (let offset = 0; offset < 10_000; offset += 100) {
    const query = { since, sort_by: 'created_at:asc', limit: 100, offset };
    const response = await request({ method: 'GET', path: '/incidents', query });
    const found = at(response.body, 'incidents');
    if (!Array.isArray(found)) throw unexpectedAnswer(response, 'a page of incidents', { isAmbiguous: true });
    const ours: unknown = found.find((incident) => textAt(incident, 'incident_key') === actionId);
    if (ours !== undefined) return outcomeOf(ours);
    if (at(response.body, 'more') !== true) return undefined;
  }
  return undefined;
}
