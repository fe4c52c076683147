import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { Authenticator } from '../core/auth.js';
import { invalidInput } from '../core/errors.js';
import type { ExportRange } from '../receipt/export.js';
import type { ReceiptServices } from '../receipt/services.js';
import type { PublicKey } from '../receipt/signing-key.js';
import { requireCaller } from './caller.js';

export interface ReceiptRoutesDeps {
  readonly services: Pick<ReceiptServices, 'receiptExports' | 'checkpointKeys'>;
  readonly authenticator: Authenticator;
}

/** The receipts of a tenant as a file that can be checked without us, and the keys to check it with. */
export function addReceiptRoutes(app: FastifyInstance, { services, authenticator }: ReceiptRoutesDeps): void {
  // No HEAD: it would read the whole log to say nothing of it.
  app.get('/v1/integrations/receipts/export', { exposeHeadRoute: false }, async (request, reply) => {
    const caller = await requireCaller(authenticator, request, 'integrations:audit');
    const range = toRange(request.query as Record<string, string | undefined>);
    const lines = await services.receiptExports.export(caller, range);
    // Pulled page by page, as fast as it is taken.
    return reply
      .type('application/jsonl; charset=utf-8')
      .header('content-disposition', 'attachment; filename="receipts.jsonl"')
      .send(Readable.from(lines, { objectMode: false, highWaterMark: 64 * 1024 }));
  });

  app.get('/.well-known/tributary-keys.json', async (_request, reply) => {
    const keys = await services.checkpointKeys.list();
    return reply.header('cache-control', 'public, max-age=60').send({ keys: keys.map(toKey) });
  });
}

function toRange({ from, to, since }: Record<string, string | undefined>): ExportRange {
  return {
    ...(from !== undefined && { from: toMoment('from', from) }),
    ...(to !== undefined && { to: toMoment('to', to) }),
    ...(since !== undefined && { since: toSize(since) }),
  };
}

/** RFC 3339, in UTC or with an offset; a date alone is its beginning in UTC. */
const MOMENT = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;

function toMoment(field: string, text: string): Date {
  const moment = new Date(text);
  if (MOMENT.test(text) && !Number.isNaN(moment.getTime())) return moment;
  throw invalidInput(field, 'must be a moment as RFC 3339 text, such as 2026-11-21T09:30:00Z');
}

function toSize(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw invalidInput('since', 'must be the size of an older checkpoint');
}

function toKey({ version, publicKey, validFrom, validUntil }: PublicKey): object {
  return {
    version,
    algorithm: 'Ed25519',
    public_key: publicKey.toString('base64'),
    valid_from: validFrom,
    valid_until: validUntil,
  };
}
