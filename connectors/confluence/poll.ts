import { type Poll, type PollStream, listAt } from '../../src/connector/index.js';
import { readComments } from './poll/comments.js';
import { readPages } from './poll/pages.js';

/**
 * Pages of the spaces that the settings name, and comments of the site, by lists that have the newest first.
 * https://developer.atlassian.com/cloud/confluence/rest/v2/api-group-page/#api-pages-get
 */
export const poll: Poll = {
  // How late a list follows is not documented.
  overlapSeconds: 120,

  streams: (settings): readonly PollStream[] => [
    ...listAt(settings, 'spaces').map((space) => ({
      name: `pages:${String(space)}`,
      title: `Pages of ${String(space)}`,
    })),
    ...(settings['comments'] === true ? [{ name: 'comments', title: 'Comments of the site' }] : []),
  ],

  async page(context, request) {
    const [kind, space = ''] = request.stream.split(/:(.*)/s);
    return kind === 'comments'
      ? readComments(context, request, poll.overlapSeconds)
      : readPages(context, space, request, poll.overlapSeconds);
  },
};
