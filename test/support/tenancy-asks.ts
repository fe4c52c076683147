import { randomUUID } from 'node:crypto';
import type { GraphQLFieldMap, GraphQLSchema } from 'graphql';
import { type Tenant, everything, pick } from './tenancy.js';

/** What a tenant can be asked by. */
export interface Ids {
  readonly connection: string;
  readonly signal: string;
  readonly action: string;
  readonly receipt: string;
  readonly tenant: string;
  readonly key: string;
  readonly mark: string;
  readonly correlation: string;
}

export type Ask = (ids: Ids) => readonly [document: string, variables: object];

const mk = (): string => `mk${randomUUID().replaceAll('-', '').slice(0, 16)}`;

/** Of the same form as those of a tenant, and of nobody. */
export function idsOfNobody(): Ids {
  const [mark, id] = [mk(), randomUUID];
  const ids = { connection: id(), signal: id(), action: id(), receipt: id() };
  return { ...ids, tenant: `tenant-${mark}`, key: `${mark} 0`, mark, correlation: `${mark}-did-0` };
}

/** What others may try: connections that are changed or deleted meanwhile as well. */
export function foreignIdsOf(tenant: Tenant, n: number): Ids {
  const connections = [...tenant.connections, ...tenant.lives];
  return { ...idsOf(tenant, n), connection: pick(connections, n)!.connectionId };
}

export function idsOf(tenant: Tenant, n: number): Ids {
  const { connections, signals, receipts, actions, mark } = tenant;
  const own = [...actions.values()].filter(({ key }) => key.startsWith(mark));
  const action = pick(own, n)!;
  return {
    connection: pick(connections, n)!.connectionId,
    signal: pick(signals, n)!,
    receipt: pick(receipts, n)!,
    action: action.id,
    key: action.key,
    correlation: action.correlationId,
    tenant: tenant.id,
    mark,
  };
}

/** As far as selections go into what is answered. */
export const DEPTH = 3;

/** Every field of Query and Mutation that takes an id, by all the ways it takes one; the field's name comes first. */
export function createAsks(of: GraphQLSchema): Record<'reads' | 'changes', Record<string, Ask>> {
  const fields: GraphQLFieldMap<unknown, unknown> = {
    ...of.getQueryType()?.getFields(),
    ...of.getMutationType()?.getFields(),
  };
  const byArgument = (kind: string, field: string, argument: string, value: (ids: Ids) => unknown): Ask => {
    const { args, type } = fields[field]!;
    const declared = String(args.find(({ name }) => name === argument)?.type);
    const document = `${kind} ($v: ${declared}) { ${field}(${argument}: $v) ${everything(type, DEPTH)} }`;
    return (ids) => [document, { v: value(ids) }];
  };
  const query = (field: string, argument: string, value: (ids: Ids) => unknown): Ask =>
    byArgument('query', field, argument, value);
  const change = (field: string, argument: string, value: (ids: Ids) => unknown): Record<string, Ask> =>
    fields[field] ? { [field]: byArgument('mutation', field, argument, value) } : {};
  const entity = (type: string, value: (ids: Ids) => string): Ask => {
    const selection = `... on ${type} ${everything(of.getType(type) as never, DEPTH)}`;
    const document = `query ($v: [_Any!]!) { _entities(representations: $v) { ${selection} } }`;
    return (ids) => [document, { v: [{ __typename: type, id: value(ids) }] }];
  };
  const comment = { addIssueComment: { project: 'octo/demo', issue: '1', body: 'Stolen.' } };
  const ofQuery = {
    connection: query('connection', 'id', ({ connection }) => connection),
    signal: query('signal', 'id', ({ signal }) => signal),
    action: query('action', 'id', ({ action }) => action),
    'action by key': query('action', 'idempotencyKey', ({ key }) => key),
    receipt: query('receipt', 'id', ({ receipt }) => receipt),
    'connections by tag': query('connections', 'filter', ({ mark }) => ({ tag: mark })),
    'signals by connection': query('signals', 'filter', (ids) => ({ connectionIds: [ids.connection] })),
    'actions by connection': query('actions', 'filter', (ids) => ({ connectionId: ids.connection })),
    'actions by correlation': query('actions', 'filter', (ids) => ({ correlationId: ids.correlation })),
    'deadLetters by connection': query('deadLetters', 'filter', (ids) => ({ connectionId: ids.connection })),
    'receipts by connection': query('receipts', 'filter', (ids) => ({ connectionId: ids.connection })),
    'receipts by correlation': query('receipts', 'filter', (ids) => ({ correlationId: ids.correlation })),
    'integrationLogs by connection': query('integrationLogs', 'filter', (ids) => ({
      connectionId: ids.connection,
    })),
    'integrationLogs by correlation': query('integrationLogs', 'filter', (ids) => ({
      correlationId: ids.correlation,
    })),
    '_entities: connection': entity('IntegrationConnection', ({ connection }) => connection),
    '_entities: signal': entity('Signal', ({ signal }) => signal),
    '_entities: action': entity('IntegrationAction', ({ action }) => action),
    '_entities: receipt': entity('IntegrationReceipt', ({ receipt }) => receipt),
    '_entities: tenant': entity('Tenant', ({ tenant }) => tenant),
  };
  const ofMutation = {
    ...change('verify', 'connectionId', ({ connection }) => connection),
    ...change('executeAction', 'input', ({ connection, key }) => ({
      connectionId: connection,
      idempotencyKey: key,
      action: comment,
    })),
    ...change('redrive', 'input', ({ action }) => ({ ids: [action] })),
    'redrive by connection': byArgument('mutation', 'redrive', 'input', (ids) => ({
      filter: { connectionId: ids.connection },
    })),
    ...change('replaySignals', 'input', (ids) => ({
      connectionId: ids.connection,
      from: '2020-01-01T00:00:00Z',
      to: '2040-01-01T00:00:00Z',
      dryRun: false,
    })),
    ...change('updateConnection', 'input', (ids) => ({ connectionId: ids.connection, name: 'stolen' })),
    ...change('rotate', 'input', (ids) => ({ connectionId: ids.connection, what: 'WEBHOOK_SECRET' })),
    ...change('setCallBudget', 'input', (ids) => ({ connectionId: ids.connection, callsPerHour: 0 })),
    ...change('authorize', 'connectionId', ({ connection }) => connection),
    ...change('suspend', 'connectionId', ({ connection }) => connection),
    ...change('resume', 'connectionId', ({ connection }) => connection),
    ...change('registerWebhook', 'input', (ids) => ({
      connectionId: ids.connection,
      target: { repository: 'octo/demo' },
    })),
    ...change('showWebhookSecret', 'connectionId', ({ connection }) => connection),
    ...change('unregisterWebhook', 'connectionId', ({ connection }) => connection),
    ...change('pollNow', 'connectionId', ({ connection }) => connection),
    ...change('setPolling', 'input', (ids) => ({ connectionId: ids.connection, isOn: false })),
    ...change('probe', 'connectionId', ({ connection }) => connection),
    // A read; but nothing that tenants do here leads to one that they could read.
    'incidents by connection': query('incidents', 'filter', (ids) => ({ connectionId: ids.connection })),
    ...change('disconnect', 'connectionId', ({ connection }) => connection),
  };
  return { reads: ofQuery, changes: ofMutation };
}
