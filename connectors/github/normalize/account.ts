import { type Part, each, line, links, textAt } from '../../../src/connector/index.js';
import { person } from './fields.js';

/** Someone's place in the organization. From here on `user_id` is the one it is about; who did it stays `actor`. */
export const orgMember: Part = {
  required: ['membership.user', 'membership.role', 'membership.state'],
  describe: (body) => ({
    payload: {
      member: person(body, 'membership', 'user'),
      role: line(body, 'membership', 'role'),
      state: line(body, 'membership', 'state'),
    },
    keys: { user_id: line(body, 'membership', 'user', 'id') },
    evidence: links(
      'user',
      textAt(body, 'membership', 'user', 'html_url'),
      line(body, 'membership', 'user', 'login'),
    ),
  }),
};

/** Someone in a team, or a collaborator of a repository. */
export const member: Part = {
  required: ['member.id', 'member.login'],
  describe: (body) => ({
    payload: {
      member: person(body, 'member'),
      role: line(body, 'changes', 'role_name', 'to') ?? line(body, 'changes', 'permission', 'to'),
    },
    keys: { user_id: line(body, 'member', 'id') },
    evidence: links('user', textAt(body, 'member', 'html_url'), line(body, 'member', 'login')),
  }),
};

/** A team of the organization. */
export const team: Part = {
  required: ['team.id', 'team.name', 'team.slug'],
  describe: (body) => ({
    payload: { team: line(body, 'team', 'slug'), title: line(body, 'team', 'name') },
    keys: { group_id: line(body, 'team', 'id') },
    evidence: links('team', textAt(body, 'team', 'html_url'), line(body, 'team', 'name')),
  }),
};

/** A GitHub App in an account. */
export const installation: Part = {
  required: ['account', 'repository_selection', 'html_url'].map((field) => `installation.${field}`),
  describe: (body) => ({
    payload: {
      account: person(body, 'installation', 'account'),
      app: line(body, 'installation', 'app_slug'),
      repository_selection: line(body, 'installation', 'repository_selection'),
      repositories: each(body, ['repositories'], 'full_name'),
    },
    evidence: links('installation', textAt(body, 'installation', 'html_url')),
  }),
};

/** The hook itself. `hook.config` is never read: its URL carries the token of our own endpoint. */
export const hook: Part = {
  required: ['hook_id', 'hook.events', 'hook.active'],
  describe: (body) => ({
    payload: {
      hook_id: line(body, 'hook_id'),
      hook_type: line(body, 'hook', 'type'),
      events: each(body, ['hook', 'events']),
    },
  }),
};

/** One page of the wiki, at one revision. It has a name and no id. */
export const wikiPage: Part = {
  required: [],
  describe: (body) => ({
    payload: {
      action: line(body, 'page', 'action'),
      title: line(body, 'page', 'title'),
      summary: line(body, 'page', 'summary'),
      revision: line(body, 'page', 'sha'),
    },
    keys: { page_id: line(body, 'page', 'page_name') },
    evidence: links('page', textAt(body, 'page', 'html_url'), line(body, 'page', 'title')),
  }),
};
