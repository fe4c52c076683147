import {
  type CorrelationHint,
  type Part,
  at,
  compact,
  each,
  flag,
  keyHints,
  line,
  longText,
  textAt,
} from '../../../src/connector/index.js';
import { channelOf, person, userOf } from './fields.js';

/** Who did it, and where. */
export const place: Part = {
  required: [],
  describe: (body) => {
    const [channel, user] = [channelOf(body), userOf(body)];
    return {
      payload: { actor: person(user), channel_type: line(body, 'event', 'channel_type') },
      keys: {
        channel_id: channel,
        user_id: user,
        team_id: line(body, 'team_id') ?? line(body, 'team', 'id'),
      },
    };
  },
};

/** A message, by what everything else calls it by: its channel and its time. Slack puts no link into events. */
function messageAt(...path: readonly string[]): Part {
  return {
    required: ['event.channel', ...['ts', 'user', 'text'].map((field) => [...path, field].join('.'))],
    describe: (body) => {
      const found = at(body, ...path);
      const [channel, ts, thread] = [channelOf(body), line(found, 'ts'), line(found, 'thread_ts')];
      return {
        payload: {
          title: line(found, 'text'),
          body: longText(found, 'text'),
          message_id: ts,
          thread_id: thread,
          is_reply: thread === undefined || ts === undefined ? undefined : thread !== ts,
          files: each(found, ['files'], 'name'),
          author: person(at(found, 'user')),
        },
        keys: { message_id: ts, thread_id: thread },
        hints: [...messageHints(channel, ts, thread), ...keyHints(longText(found, 'text'))],
      };
    },
  };
}

function messageHints(
  channel: string | undefined,
  ...times: readonly (string | undefined)[]
): readonly CorrelationHint[] {
  if (channel === undefined) return [];
  return times
    .filter((ts) => ts !== undefined)
    .map((ts) => ({ type: 'resource_id', value: `${channel}:${ts}`, confidence: 1 }));
}

/** https://docs.slack.dev/reference/events/message */
export const message = messageAt('event');
/** https://docs.slack.dev/reference/events/message/message_changed: the message as it is now. Who changed it is not told. */
export const changedMessage = messageAt('event', 'message');

/** https://docs.slack.dev/reference/events/reaction_added */
export const reaction: Part = {
  required: ['event.reaction', 'event.user', 'event.item.type'],
  describe: (body) => {
    const item = at(body, 'event', 'item');
    const [channel, ts] = [line(item, 'channel'), line(item, 'ts')];
    return {
      payload: {
        reaction: line(body, 'event', 'reaction'),
        subject: compact({ type: line(item, 'type'), id: ts ?? line(item, 'file') }),
        author: person(at(body, 'event', 'item_user')),
      },
      keys: { message_id: ts },
      hints: messageHints(channel, ts),
    };
  },
};

/** https://docs.slack.dev/reference/events/channel_created */
export const channel: Part = {
  required: ['event.channel.id', 'event.channel.name'],
  describe: (body) => ({
    payload: {
      title: line(body, 'event', 'channel', 'name'),
      actor: person(at(body, 'event', 'channel', 'creator')),
    },
    keys: { user_id: line(body, 'event', 'channel', 'creator') },
  }),
};

/** https://docs.slack.dev/reference/objects/user-object, without what tells of the person behind it. */
export const user: Part = {
  required: ['event.user.id'],
  describe: (body) => {
    const found = at(body, 'event', 'user');
    return {
      payload: {
        // Whose account it is; who did it is not told.
        actor: undefined,
        user: person(found),
        login: line(found, 'name'),
        is_bot: flag(found, 'is_bot'),
        is_guest: flag(found, 'is_restricted'),
      },
      hints: textAt(found, 'id')
        ? [{ type: 'resource_id', value: line(found, 'id') ?? '', confidence: 1 }]
        : [],
    };
  },
};

/** https://docs.slack.dev/reference/events/subteam_members_changed */
export const usergroup: Part = {
  required: ['event.subteam_id', 'event.date_update'],
  describe: (body) => ({
    payload: {
      group_id: line(body, 'event', 'subteam_id'),
      added: each(body, ['event', 'added_users']),
      removed: each(body, ['event', 'removed_users']),
    },
  }),
};

/** Of an event that no rule names, what can be read without knowing it: a button's id, a command, a file. */
export const other: Part = {
  required: [],
  describe: (body) => {
    const found = at(body, 'event') ?? body;
    const ts = messageIn(found);
    const id = line(found, 'file_id') ?? line(found, 'view', 'id');
    return {
      payload: {
        title: line(found, 'command') ?? line(found, 'text'),
        body: longText(found, 'text'),
        callback_id: line(found, 'callback_id') ?? line(found, 'view', 'callback_id'),
        actions: each(found, ['actions'], 'action_id'),
        message_id: ts,
        subject: id === undefined ? undefined : { id },
        is_bot: textAt(found, 'bot_id') !== undefined || undefined,
      },
      keys: { message_id: ts },
      hints: messageHints(channelOf(body), ts),
    };
  },
};

/** The message it is about: what was changed or deleted, what a button belongs to, or itself. */
function messageIn(found: unknown): string | undefined {
  const paths = [['deleted_ts'], ['message', 'ts'], ['message_ts'], ['container', 'message_ts'], ['ts']];
  return paths.map((path) => line(found, ...path)).find((ts) => ts !== undefined);
}
