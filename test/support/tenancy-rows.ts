import type { Tenant, Work } from './tenancy.js';

/** By table, one text for each row. */
export type Rows = Readonly<Record<string, readonly string[]>>;

/** What the tables have to hold of a tenant. */
export function didOf(tenant: Tenant): Rows {
  const { mark, connections, lives, changed, actions, deliveries, signals, work } = tenant;
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
      'integration.oauth_app.example.set_oauth_app',
      'integration.incident_sink.tributary.set',
      'integration.receipt_witness.tributary.set',
      'integration.webhook_app.jira.register',
      ...changes.map((change) => `integration.connection.${providerOf(change, work)}.${change}`),
      ...done.map(
        ({ id, connectionId, providerId }) =>
          `integration.action.${providerId}.add_issue_comment ${connectionId} ${id}`,
      ),
    ],
    connection_changes: changes,
    deliveries: [...deliveries.keys(), ...work.polled],
    signals: [...signals],
  };
  return Object.fromEntries(Object.entries(rows).map(([table, texts]) => [table, texts.toSorted()]));
}

function providerOf(change: string, { connectionId, hookedId }: Work): string {
  if (change.endsWith(connectionId)) return 'example';
  return change.endsWith(hookedId) ? 'jira' : 'github';
}
