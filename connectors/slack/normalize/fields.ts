import { type JsonObject, at, compact, isObject, line, textAt } from '../../../src/connector/index.js';

/**
 * Slack's way to write a moment, which is also the id of a message: seconds and a counter, "1355517523.000005".
 * Undefined for anything else.
 */
export function momentOf(ts: unknown): Date | undefined {
  if (typeof ts !== 'string' || !/^\d{1,11}(\.\d{1,6})?$/.test(ts)) return undefined;
  return new Date(Math.floor(Number(ts) * 1000));
}

/** A user as `{ id }`: some events bring the id alone, some the whole user. Names are left to whoever may read them. */
export function person(value: unknown): JsonObject | undefined {
  const id = isObject(value) ? line(value, 'id') : line(value);
  return id === undefined ? undefined : compact({ id });
}

/** The id of a channel: events bring the id alone or the whole channel, and interactivity another name for it. */
export function channelOf(body: unknown): string | undefined {
  const event = at(body, 'event') ?? body;
  const paths = [
    ['channel', 'id'],
    ['channel'],
    ['channel_id'],
    ['item', 'channel'],
    ['container', 'channel_id'],
  ];
  return firstOf(event, paths);
}

/** Who did it. */
export function userOf(body: unknown): string | undefined {
  return firstOf(at(body, 'event') ?? body, [['user', 'id'], ['user'], ['user_id'], ['actor_id']]);
}

function firstOf(value: unknown, paths: readonly (readonly string[])[]): string | undefined {
  const path = paths.find((candidate) => textAt(value, ...candidate) !== undefined);
  return path && line(value, ...path);
}
