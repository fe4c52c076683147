import type { JsonObject, Webhook } from '../connector/index.js';
import type { Appended } from '../signal/journal.js';

/** What a provider is answered. Without `json` and `text`: an empty body. */
export interface WebhookReply {
  readonly status: number;
  readonly json?: JsonObject;
  /** Sent as text/plain. */
  readonly text?: string;
}

/**
 * The reply to a delivery that is committed, by each connection that it is for. None: an app's, about an account that
 * nobody here has connected.
 */
export function toReply({ answer }: Webhook, appended: readonly Appended[]): WebhookReply {
  if (answer) return { status: answer.status };
  const isKnown = appended.length > 0 && appended.every(({ isDuplicate }) => isDuplicate);
  return {
    status: isKnown ? 200 : 202,
    json: {
      delivery_id: appended[0]?.deliveryId ?? null,
      signals: appended.flatMap(({ signalIds }) => signalIds),
    },
  };
}
