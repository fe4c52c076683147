import { type Poll, listAt } from '../../src/connector/index.js';
import { readIssues, readMergeRequests } from './poll/by-time.js';
import { readComments } from './poll/comments.js';
import { readPipelines } from './poll/pipelines.js';
import type { ReadPage } from './poll/read.js';

/** What there is of each project, by the first word of a stream's name: `issues:group/project`. */
const kinds: Readonly<Record<string, { readonly title: string; readonly read: ReadPage }>> = {
  issues: { title: 'Issues', read: readIssues },
  merge_requests: { title: 'Merge requests', read: readMergeRequests },
  comments: { title: 'Comments', read: readComments },
  pipelines: { title: 'Pipelines', read: readPipelines },
};

/**
 * Issues, merge requests, comments and pipelines of the projects that the settings name: what was opened, closed, merged,
 * said or built.
 * README.md tells what GitLab's lists do not show.
 */
export const poll: Poll = {
  // What is being written while a list is read may appear in it later than its time says.
  overlapSeconds: 120,

  streams: (settings) =>
    listAt(settings, 'projects').flatMap((project) =>
      Object.entries(kinds).map(([kind, { title }]) => ({
        name: `${kind}:${String(project)}`,
        title: `${title} of ${String(project)}`,
      })),
    ),

  async page(context, request) {
    const [kind = '', project = ''] = request.stream.split(/:(.*)/s);
    const read = kinds[kind]?.read;
    if (!read) throw new Error(`GitLab has no stream ${request.stream}`);
    return read(context, project, request, poll.overlapSeconds);
  },
};
