import { type Part, compact, line, links, textAt } from '../../../src/connector/index.js';

/** Someone's place in a group or project. `user_id` is the one it is about; who did it is not told. */
export const member: Part = {
  required: ['user_id', 'user_username'],
  describe: (body) => ({
    resource: { repository: line(body, 'project_path_with_namespace') },
    payload: {
      member: compact({ id: line(body, 'user_id'), login: line(body, 'user_username') }),
      role: line(body, 'group_access') ?? line(body, 'access_level'),
      organization: line(body, 'group_path'),
      expires_at: line(body, 'expires_at'),
    },
    keys: { user_id: line(body, 'user_id'), group_id: line(body, 'group_id') },
  }),
};

/** An account of the whole installation, which system hooks tell about. */
export const account: Part = {
  required: ['user_id', 'username'],
  describe: (body) => ({
    payload: {
      member: compact({ id: line(body, 'user_id'), login: line(body, 'username') }),
      old_login: line(body, 'old_username'),
      state: line(body, 'state'),
    },
    keys: { user_id: line(body, 'user_id') },
  }),
};

/** https://docs.gitlab.com/user/project/integrations/webhook_events/#emoji-events */
export const emoji: Part = {
  required: ['id', 'name', 'awardable_type'].map((field) => `object_attributes.${field}`),
  describe: (body) => ({
    payload: {
      reaction: line(body, 'object_attributes', 'name'),
      reaction_to: line(body, 'object_attributes', 'awardable_type'),
      title: line(body, 'issue', 'title') ?? line(body, 'merge_request', 'title'),
    },
    keys: { issue_key: line(body, 'issue', 'iid') },
    evidence: links('reaction', textAt(body, 'object_attributes', 'awarded_on_url')),
  }),
};
