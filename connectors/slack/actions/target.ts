import { invalid } from '../../../src/connector/index.js';

/** Channels, private channels and direct messages. A name or a person would be taken for writing, but not for reading. */
const CHANNEL = /^[CGD][A-Z0-9]{1,30}$/;
/** Kept as text: as a number it would lose digits. */
const TS = /^\d{1,11}\.\d{6}$/;

/** The id of a channel. Anything else is refused before a request is made. */
export function requireChannel(channel: string | undefined): string {
  if (channel && CHANNEL.test(channel)) return channel;
  throw invalid(
    'invalid_channel',
    `A Slack channel is named by its id, like "C0123456789", not ${JSON.stringify(channel ?? '')}. Its details in Slack show it.`,
  );
}

/** The id of a message, which is the time of it. */
export function requireMessage(message: string | undefined): string {
  if (message && TS.test(message)) return message;
  throw invalid(
    'invalid_message',
    `A Slack message is named by its ts, like "1767225600.000100", not ${JSON.stringify(message ?? '')}.`,
  );
}
