import type { Log } from '../core/log.js';

/**
 * Works on one tenant after the other. What is wrong with one must not hold up the others: it is logged under `what`,
 * and thrown as an AggregateError once all have had their turn, so that the job counts as failed. `work` answers how
 * much it did; the sum is answered.
 */
export async function eachTenant<Row extends { readonly tenant_id: string }>(
  rows: readonly Row[],
  log: Log,
  what: string,
  work: (row: Row) => Promise<number>,
): Promise<number> {
  const errors: unknown[] = [];
  let sum = 0;
  for (const row of rows) {
    try {
      sum += await work(row);
    } catch (error) {
      log.error({ err: error, tenantId: row.tenant_id }, what);
      errors.push(error);
    }
  }
  if (errors.length > 0)
    throw new AggregateError(errors, `${what}: ${errors.length} of ${rows.length} tenants`);
  return sum;
}
