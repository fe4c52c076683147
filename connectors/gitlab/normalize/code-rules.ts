import { isCommit, on, refOf, textAt } from '../../../src/connector/index.js';
import { push, release, wikiPage } from './code.js';
import { area, inProject } from './rules.js';
import { project, pusher } from './shared.js';

/** GitLab gives a push neither an id nor a time: where it began and ended is all that it is known by. */
const PUSH = 'push:{project.id}:{ref}:{before}:{after}';

const pushes = area(
  [project, pusher, push],
  [
    { on: ['push', 'tag_push'], type: 'push', identity: PUSH },
    { on: ['ref.branch_created'], type: 'branch_created', identity: PUSH },
    { on: ['ref.branch_deleted'], type: 'branch_deleted', identity: PUSH },
    { on: ['ref.tag_created'], type: 'tag_created', identity: PUSH },
  ],
);

/** What a push did to its branch or tag, as an event of ours. Undefined: it was there before and still is. */
export function refEventOf(type: string, body: unknown): string | undefined {
  if (type !== 'push' && type !== 'tag_push') return undefined;
  const [before, after] = ['before', 'after'].map((field) => textAt(body, field));
  const { branch, tag } = refOf(textAt(body, 'ref'));
  if (before === undefined || after === undefined) return undefined;
  if (!isCommit(before)) return branch ? 'ref.branch_created' : tag && 'ref.tag_created';
  return branch && !isCommit(after) ? 'ref.branch_deleted' : undefined;
}

const WIKI_PAGE = 'wiki_page:{project.id}:{object_attributes.slug}:{object_attributes.version_id}';

const rest = [
  ...area(
    [...inProject, release],
    [
      {
        on: on('release', 'create'),
        type: 'release_published',
        identity: 'release:{id}:published',
        at: 'released_at',
      },
    ],
  ),
  ...area(
    [...inProject, wikiPage],
    [
      { on: on('wiki_page', 'create'), type: 'page_published', identity: WIKI_PAGE },
      { on: on('wiki_page', 'update'), type: 'page_updated', identity: WIKI_PAGE },
      { on: on('wiki_page', 'delete'), type: 'page_deleted', identity: WIKI_PAGE },
    ],
  ),
];

/** Pushes, branches, tags, releases and the wiki. */
export const codeRules = [...pushes, ...rest];
