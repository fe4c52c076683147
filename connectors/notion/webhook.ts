import {
  MalformedDelivery,
  type Webhook,
  compact,
  isObject,
  line,
  listAt,
  textAt,
  verifyHmac,
} from '../../src/connector/index.js';
import { accountIn } from './account.js';

const ID_LIMIT = 200;

/**
 * Webhooks of an integration, by the token that Notion hands out in its first request. The signature says nothing of the
 * time: what is sent again is known by its id. https://developers.notion.com/reference/webhooks
 */
export const webhook: Webhook = {
  verify: ({ headers, body }, secrets) =>
    verifyHmac({
      algorithm: 'sha256',
      secrets,
      signed: body,
      given: headers['x-notion-signature'],
      encoding: 'hex',
      prefix: 'sha256=',
    }),

  identify(_delivery, body) {
    const [id, type] = [line(body, 'id'), line(body, 'type')];
    if (!id || !type || id.length > ID_LIMIT) {
      throw new MalformedDelivery('The body lacks the "id" and "type" that all of Notion’s events have.');
    }
    const apiVersion = line(body, 'api_version');
    return compact({ id, type: type.slice(0, ID_LIMIT).toWellFormed(), apiVersion });
  },

  handshake: {
    /** Nothing else comes with the token. */
    secretOf(body) {
      if (!isObject(body) || 'type' in body) return undefined;
      return textAt(body, 'verification_token');
    },
  },

  /**
   * An integration that people consent to sees for each of them what they have picked: an event lists whose connections may
   * see what it is about, in its workspace alone. One of a single workspace has no such list.
   */
  accountOf(_delivery, body) {
    const [workspace, viewers] = [textAt(body, 'workspace_id'), listAt(body, 'accessible_by')];
    if (!workspace || viewers.length === 0) return workspace;
    return viewers.flatMap((viewer) => accountIn(workspace, textAt(viewer, 'id')) ?? []);
  },

  instructions:
    'In the settings of your integration at Notion open Webhooks → Create a subscription, paste the URL and choose the ' +
    'events. Notion sends a token to the URL; fetch it once by showWebhookSecret, paste it at Notion and press Verify.',
};
