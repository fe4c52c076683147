import { on } from '../../../src/connector/index.js';
import { account, emoji, member } from './people.js';
import { area, inProject } from './rules.js';

const MEMBER = 'member:{group_id}:{user_id}';

/** https://docs.gitlab.com/user/project/integrations/webhook_events/#group-member-events */
const members = area(
  [member],
  [
    {
      on: ['user_add_to_group'],
      type: 'user_created',
      identity: `${MEMBER}:added:{created_at}`,
      at: 'created_at',
    },
    {
      on: ['user_update_for_group'],
      type: 'role_assigned',
      identity: `${MEMBER}:updated:{updated_at}`,
      at: 'updated_at',
    },
    {
      on: ['user_remove_from_group'],
      type: 'user_deactivated',
      identity: `${MEMBER}:removed:{updated_at}`,
      at: 'updated_at',
    },
    {
      on: ['user_add_to_team', 'user_update_for_team'],
      type: 'role_assigned',
      identity: 'member:project:{project_id}:{user_id}:{access_level}:{updated_at}',
      at: 'updated_at',
    },
  ],
);

/** https://docs.gitlab.com/administration/system_hooks */
const accounts = area(
  [account],
  [
    { on: ['user_create'], type: 'user_created', identity: 'user:{user_id}:created', at: 'created_at' },
    {
      on: ['user_rename'],
      type: 'user_updated',
      identity: 'user:{user_id}:renamed:{updated_at}',
      at: 'updated_at',
    },
    { on: ['user_destroy'], type: 'user_deactivated', identity: 'user:{user_id}:destroyed' },
    {
      on: ['user_failed_login'],
      type: 'login_failed',
      identity: 'user:{user_id}:failed_login:{updated_at}',
      at: 'updated_at',
    },
  ],
);

const reactions = area(
  [...inProject, emoji],
  [
    {
      on: on('emoji', 'award'),
      type: 'reaction_added',
      identity: 'emoji:{object_attributes.id}',
      at: 'object_attributes.created_at',
    },
  ],
);

/** Members, accounts and reactions. */
export const peopleRules = [...members, ...accounts, ...reactions];
