import { defineEntity, p } from '@mikro-orm/postgresql';

const deliverySchema = defineEntity({
  name: 'Delivery',
  tableName: 'deliveries',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.text(),
    connectionId: p.uuid(),
    providerId: p.text(),
    eventId: p.text(),
    eventType: p.text(),
    apiVersion: p.text().nullable(),
    contentType: p.text(),
    /** ADAPTER: its body is a SignalEnvelope, made by somebody else. */
    via: p.text().$type<'WEBHOOK' | 'POLLING' | 'ADAPTER'>(),
    receivedAt: p.datetime(),
    /** Compressed and sealed; read only where it is asked for. Null when its time was over. */
    body: p.blob().nullable().lazy(),
    purgedAt: p.datetime().nullable(),
    /** What it became when it was last normalised. */
    signalIds: p.array(),
    /** Set on a dead letter: why there are no signals. */
    failure: p.text().nullable(),
    /** How often it was normalised. */
    attempts: p.integer(),
  },
});

/** One event as it came in. Written by the journal only; its body is deleted when its time is over. */
export class Delivery extends deliverySchema.class {}
deliverySchema.setClass(Delivery);
