import {
  type JsonObject,
  type PolledEvent,
  type ProviderContext,
  at,
  compact,
  isObject,
  isProviderFailure,
  textAt,
  timeAt,
} from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { ended } from '../normalize/build-rules.js';
import { projectUrlOf, readByTime } from './by-time.js';
import { type ReadPage, happened, readList, toEvent } from './read.js';

const UPDATED_AT = 'updated_at';
/** Each is asked for by itself as well. */
const PAGE_SIZE = 20;

/**
 * https://docs.gitlab.com/api/pipelines/#list-project-pipelines. The list does not tell when a pipeline began and ended, so
 * each is read; of one that was retried, GitLab has kept the last end alone. Child pipelines are not in the list.
 */
export const readPipelines: ReadPage = (context, project, request, overlapSeconds) =>
  readByTime(
    request,
    overlapSeconds,
    async (item, from) => {
      const pipeline = await readPipeline(context, project, textAt(item, 'id') ?? '');
      return pipeline ? toEvents(pipeline, project, from) : [];
    },
    (since, page) => {
      const query = { order_by: UPDATED_AT, sort: 'asc', updated_after: since, page, per_page: PAGE_SIZE };
      return readList(context, project, 'pipelines', query, UPDATED_AT);
    },
  );

/** Undefined: it was deleted since. */
async function readPipeline(
  { request }: ProviderContext,
  project: string,
  id: string,
): Promise<JsonObject | undefined> {
  const path = '/projects/{id}/pipelines/{pipeline}';
  try {
    const response = await request({ method: 'GET', path, params: { id: project, pipeline: id } });
    const { body } = response;
    if (isObject(body) && timeAt(body, 'created_at') && textAt(body, 'status')) return body;
    throw unexpectedAnswer(response, 'a pipeline', { isAmbiguous: false });
  } catch (error) {
    if (isProviderFailure(error, { category: 'NOT_FOUND' })) return undefined;
    throw error;
  }
}

/** What webhooks told as it was made, began and ended. */
function toEvents(pipeline: JsonObject, project: string, from: string): readonly PolledEvent[] {
  const { id, iid, name, ref, tag, sha, source, created_at, finished_at, duration } = pipeline;
  const last = textAt(pipeline, 'status') ?? '';
  const event = (status: string, key: string, more: JsonObject = {}) => {
    const attributes = { id, iid, name, ref, tag, sha, source, status, created_at, ...more };
    const shown = compact({ ...attributes, url: textAt(pipeline, 'web_url') });
    const about = { object_attributes: shown };
    return toEvent(`pipeline.${status}`, key, project, projectUrlOf(pipeline), at(pipeline, 'user'), about);
  };
  const key = textAt(pipeline, 'id') ?? '';
  return [
    ...(happened(pipeline, 'created_at', from) ? [event('created', key)] : []),
    ...(happened(pipeline, 'started_at', from) ? [event('running', key)] : []),
    ...(ended.includes(last) && happened(pipeline, 'finished_at', from)
      ? [event(last, `${key}:${textAt(pipeline, 'finished_at')}`, compact({ finished_at, duration }))]
      : []),
  ];
}
