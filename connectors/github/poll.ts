import { type Poll, listAt } from '../../src/connector/index.js';
import { readComments, readIssues, readReviewComments } from './poll/by-time.js';
import { readPulls } from './poll/pulls.js';
import type { ReadPage } from './poll/read.js';
import { readRuns } from './poll/runs.js';

/** What there is of each repository, by the first word of a stream's name: `issues:owner/name`. */
const kinds: Readonly<Record<string, { readonly title: string; readonly read: ReadPage }>> = {
  issues: { title: 'Issues', read: readIssues },
  pulls: { title: 'Pull requests', read: readPulls },
  comments: { title: 'Comments', read: readComments },
  'review-comments': { title: 'Comments on code', read: readReviewComments },
  runs: { title: 'Workflow runs', read: readRuns },
};

/**
 * Issues, pull requests, comments and workflow runs of the repositories that the settings name: what was opened, closed,
 * merged, said or built. README.md tells what GitHub's lists do not show.
 */
export const poll: Poll = {
  // Lists follow changes with a delay, and `updated_at` counts whole seconds.
  overlapSeconds: 120,

  streams: (settings) =>
    listAt(settings, 'repositories').flatMap((repository) =>
      Object.entries(kinds).map(([kind, { title }]) => ({
        name: `${kind}:${String(repository)}`,
        title: `${title} of ${String(repository)}`,
      })),
    ),

  async page(context, request) {
    const [kind = '', repository = ''] = request.stream.split(/:(.*)/s);
    const read = kinds[kind]?.read;
    if (!read) throw new Error(`GitHub has no stream ${request.stream}`);
    return read(context, repository, request, poll.overlapSeconds);
  },
};
