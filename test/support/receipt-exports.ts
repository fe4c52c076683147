import type { Caller } from '../../src/core/caller.js';
import type { ExportRange } from '../../src/receipt/export.js';
import type { Receipts } from './receipts.js';

export function callerOf(tenantId: string): Caller {
  return { tenantId, subject: 'auditor', scopes: new Set(['integrations:audit']), correlationId: 'export' };
}

/** A whole export as one text. */
export async function exportOf(
  { services }: Receipts,
  tenantId: string,
  range: ExportRange = {},
): Promise<string> {
  const lines = await services.receiptExports.export(callerOf(tenantId), range);
  let text = '';
  for await (const some of lines) text += some;
  return text;
}
