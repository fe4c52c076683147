import { type Part, line, textAt } from '../../../src/connector/index.js';
import { changesOf, person, repositoryOf } from './fields.js';

/** Who did it. */
export const actor: Part = {
  required: [],
  describe: (body) => ({
    payload: { actor: person(body, 'user') },
    keys: { user_id: line(body, 'user', 'id') },
  }),
};

/** Who pushed: it stands at the top of the body. */
export const pusher: Part = {
  required: ['user_id', 'user_name'],
  describe: (body) => {
    const id = line(body, 'user_id');
    const login = line(body, 'user_username') ?? line(body, 'user_name');
    return {
      payload: { actor: id || login ? { ...(id && { id }), ...(login && { login }) } : undefined },
      keys: { user_id: id },
    };
  },
};

/** Where it happened. */
export const project: Part = {
  required: ['project.path_with_namespace'],
  describe: (body) => ({ resource: { repository: repositoryOf(body) } }),
};

/** What was done to the thing, beside the thing itself. */
export const details: Part = {
  required: [],
  describe: (body) => ({
    payload: {
      action: textAt(body, 'object_attributes', 'action') && line(body, 'object_attributes', 'action'),
      changes: changesOf(body),
    },
  }),
};
