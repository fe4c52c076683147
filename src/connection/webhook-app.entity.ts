import { defineEntity, p } from '@mikro-orm/postgresql';
import type { HandshakeState } from './status.js';

const appSchema = defineEntity({
  name: 'WebhookApp',
  tableName: 'webhook_apps',
  properties: {
    tenantId: p.text().primary(),
    providerId: p.text().primary(),
    /** Where its token and secrets are sealed to. */
    id: p.uuid(),
    tokenHash: p.blob(),
    sealedToken: p.blob(),
    sealedSecret: p.blob(),
    /** Still good until then. */
    sealedPreviousSecret: p.blob().nullable(),
    previousSecretUntil: p.datetime().nullable(),
    handshake: p.text().$type<HandshakeState>().nullable(),
    updatedAt: p.datetime(),
  },
});

/** An app registered with a provider, which sends the webhooks of all the app's accounts to one address. */
export class WebhookApp extends appSchema.class {}
appSchema.setClass(WebhookApp);
