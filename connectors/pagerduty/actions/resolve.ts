import {
  type ActionContext,
  type ActionSpec,
  type ProviderResponse,
  at,
  isProviderFailure,
  parseMarkdown,
  plainTextOf,
  textAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { outcomeOf, outputSchema, writing } from './incident.js';

const INCIDENT = '/incidents/{id}';
const NOTES = `${INCIDENT}/notes`;

/**
 * What is resolved stays so, and a note that is there already is not written again: NATIVE without a key.
 * https://developer.pagerduty.com/api-reference/8a0e1aa2ec666-update-an-incident
 */
export const resolveIncident: ActionSpec<'resolveIncident'> = {
  title: 'Resolve an incident',
  description: 'Resolves an incident by its id, and says in a note what resolved it.',
  requiredScopes: ['incidents.write'],
  idempotency: 'NATIVE',
  outputSchema,

  async execute(context, { incident, note }) {
    // Before it is resolved: whoever is told of that then finds the note.
    if (note !== undefined) await addNote(context, incident, plainTextOf(parseMarkdown(note)));
    const response = await resolve(context, incident);
    const resolved = at(response.body, 'incident');
    const outcome = outcomeOf(resolved);
    if (!outcome || textAt(resolved, 'status') !== 'resolved') {
      throw unexpectedAnswer(response, 'the resolved incident', { isAmbiguous: true });
    }
    return outcome;
  },
};

/** Whether PagerDuty takes a second resolution is not documented: where it does not, the incident is read. */
async function resolve(context: ActionContext, id: string): Promise<ProviderResponse> {
  const body = { incident: { type: 'incident_reference', status: 'resolved' } };
  try {
    return await context.request({
      method: 'PUT',
      path: INCIDENT,
      params: { id },
      body,
      ...writing(context),
    });
  } catch (error) {
    if (!isProviderFailure(error, { code: 'already_resolved' })) throw error;
    return context.request({ method: 'GET', path: INCIDENT, params: { id } });
  }
}

async function addNote(context: ActionContext, id: string, content: string): Promise<void> {
  const known = await context.request({ method: 'GET', path: NOTES, params: { id } });
  const notes = at(known.body, 'notes');
  if (!Array.isArray(notes)) throw unexpectedAnswer(known, 'a list of notes', { isAmbiguous: false });
  if (notes.some((note) => textAt(note, 'content') === content)) return;
  const made = await context.request({
    method: 'POST',
    path: NOTES,
    params: { id },
    body: { note: { content } },
    ...writing(context),
  });
  if (!textAt(made.body, 'note', 'id')) throw unexpectedAnswer(made, 'the note', { isAmbiguous: true });
}
