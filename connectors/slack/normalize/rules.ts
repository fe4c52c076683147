import { type Part, type Rule, at, on, textAt } from '../../../src/connector/index.js';
import { channel, changedMessage, message, other, place, reaction, user, usergroup } from './parts.js';

type Case = Omit<Rule, 'parts'>;

function about(part: Part, ...cases: readonly Case[]): readonly Rule[] {
  return cases.map((one) => ({ ...one, parts: [place, part] }));
}

/** Bots are heard as `provider_event`: an answer to their words, ours among them, could go round for ever. */
function isPersons(found: unknown): boolean {
  return textAt(found, 'bot_id') === undefined && textAt(found, 'subtype') !== 'bot_message';
}

const MESSAGE = '{event.channel}:{event.ts}';
/** A message with files, one that a thread shows its channel as well, and "/me": people wrote them all the same. */
const written = ['message', ...on('message', 'file_share', 'thread_broadcast', 'me_message')];

const chat = [
  ...about(
    message,
    {
      on: written,
      when: (body) => isPersons(at(body, 'event')),
      type: 'chat_message',
      identity: `message:${MESSAGE}`,
    },
    // Slack sends the same message as `message` too, where the app hears those: two signals about one message.
    {
      on: ['app_mention'],
      when: (body) => isPersons(at(body, 'event')),
      type: 'chat_mention',
      identity: `mention:${MESSAGE}`,
    },
  ),
  ...about(changedMessage, {
    on: on('message', 'message_changed'),
    // Slack also "changes" a message when it has looked up a link in it. Then nobody has edited it.
    when: (body) =>
      isPersons(at(body, 'event', 'message')) &&
      textAt(body, 'event', 'message', 'edited', 'ts') !== undefined,
    type: 'chat_message_edited',
    identity: 'message:{event.channel}:{event.message.ts}:edited:{event.message.edited.ts}',
  }),
  ...about(
    reaction,
    {
      on: ['reaction_added'],
      when: (body) => textAt(body, 'event', 'item', 'ts') !== undefined,
      type: 'reaction_added',
      identity:
        'reaction:{event.item.channel}:{event.item.ts}:{event.reaction}:{event.user}:{event.event_ts}',
    },
    {
      on: ['reaction_added'],
      type: 'reaction_added',
      identity: 'reaction:{event.item.file}:{event.reaction}:{event.user}:{event.event_ts}',
    },
  ),
];

const workspace = [
  ...about(channel, {
    on: ['channel_created'],
    type: 'channel_created',
    identity: 'channel:{event.channel.id}:created',
  }),
  ...about(
    user,
    { on: ['team_join'], type: 'user_created', identity: 'user:{event.user.id}:joined' },
    {
      on: ['user_change'],
      when: (body) => at(body, 'event', 'user', 'deleted') === true,
      type: 'user_deactivated',
      identity: 'user:{event.user.id}:deactivated:{event.user.updated}',
    },
    {
      on: ['user_change'],
      type: 'user_updated',
      identity: 'user:{event.user.id}:updated:{event.user.updated}',
    },
  ),
  ...about(usergroup, {
    on: ['subteam_members_changed'],
    type: 'group_membership_changed',
    identity: 'usergroup:{event.subteam_id}:{event.date_update}',
  }),
  ...about(other, {
    on: ['app_uninstalled'],
    type: 'app_uninstalled',
    identity: 'app:{api_app_id}:{team_id}:uninstalled:{event_time}',
  }),
];

/** Every event that has a rule of its own. https://docs.slack.dev/reference/events */
export const rules: readonly Rule[] = [...chat, ...workspace];

/** For every other event, interactivity and commands among them: nothing can be missing from it. */
export function otherRule(): Rule {
  return { on: [], type: 'provider_event', parts: [place, other] };
}
