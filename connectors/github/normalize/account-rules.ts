import { at, on } from '../../../src/connector/index.js';
import { hook, installation, member, orgMember, team, wikiPage } from './account.js';
import { area, inRepository } from './rules.js';
import { organization, sender, thing } from './shared.js';

// Membership comes and goes, and these events carry neither a time nor an id: the delivery names them.
const people = [
  ...area(
    [sender, organization, orgMember],
    [
      { on: on('organization', 'member_added'), type: 'user_created' },
      { on: on('organization', 'member_removed'), type: 'user_deactivated' },
    ],
  ),
  ...area(
    [sender, organization, team, member],
    [{ on: on('membership', 'added', 'removed'), type: 'group_membership_changed' }],
  ),
  // A collaborator who was removed has been assigned nothing: that one stays a provider_event.
  ...area([...inRepository, member], [{ on: on('member', 'added', 'edited'), type: 'role_assigned' }]),
];

const apps = area(
  [sender, installation],
  [
    {
      on: on('installation', 'created'),
      type: 'app_installed',
      identity: 'installation:{installation.id}:created',
      at: 'installation.created_at',
    },
    {
      on: on('installation', 'deleted'),
      type: 'app_uninstalled',
      identity: 'installation:{installation.id}:deleted',
    },
  ],
);

/** `gollum`: the wiki. `page` is the one of `pages` that this signal is about. */
const WIKI_PAGE = 'wiki_page:{repository.id}:{page.page_name}:{page.sha}';
const wiki = area(
  [...inRepository, wikiPage],
  [
    {
      on: ['gollum'],
      when: (body) => at(body, 'page', 'action') === 'created',
      type: 'page_published',
      identity: WIKI_PAGE,
    },
    {
      on: ['gollum'],
      when: (body) => at(body, 'page', 'action') === 'edited',
      type: 'page_updated',
      identity: WIKI_PAGE,
    },
  ],
);

const rest = [
  // The hook of an organization has no repository, that of an app has no sender.
  ...area([hook], [{ on: ['ping'], type: 'webhook_ping' }]),
  ...area(inRepository, [{ on: on('star', 'created'), type: 'provider_event', at: 'starred_at' }]),
  ...area(
    [...inRepository, thing('forkee')],
    [{ on: ['fork'], type: 'provider_event', identity: 'fork:{forkee.id}', at: 'forkee.created_at' }],
  ),
];

/** People, apps, the wiki and the hook itself. */
export const accountRules = [...people, ...apps, ...wiki, ...rest];
