import type { Tenant } from './tenancy.js';

/** By table, one text for each row. */
export type Rows = Readonly<Record<string, readonly string[]>>;

/** What the tables have to hold of a tenant. */
export function didOf({ mark, connections, lives, changed, actions, deliveries, signals }: Tenant): Rows {
  const all = [...connections, ...lives];
  const kept = [...connections, ...lives.filter(({ isOver }) => !isOver)].map(
    ({ connectionId }) => connectionId,
  );
  const changes = [...all.map(({ connectionId }) => `connect ${connectionId}`), ...changed];
  const done = [...actions.values()];
  const rows = {
    connections: all.map(({ connectionId, name }) => `${connectionId} ${name} of ${mark}`),
    credentials: kept,
    webhook_endpoints: kept,
    actions: done.map((action) =>
      [action.id, action.key, action.connectionId, action.correlationId].join(' '),
    ),
    receipts: [
      ...changes.map((change) => `integration.connection.github.${change}`),
      ...done.map(
        (action) => `integration.action.github.add_issue_comment ${action.connectionId} ${action.id}`,
      ),
    ],
    connection_changes: changes,
    deliveries: [...deliveries.keys()],
    signals: [...signals],
  };
  return Object.fromEntries(Object.entries(rows).map(([table, texts]) => [table, texts.toSorted()]));
}
