import { z } from 'zod';
import type { ProviderCatalog } from '../connection/catalog.js';
import { type SettingProblem, problemsOf } from '../connection/settings.js';
import {
  type Connector,
  type JsonObject,
  MalformedDelivery,
  MappingError,
  type ProviderEvent,
  type SignalDraft,
  type Webhook,
} from '../connector/index.js';
import type { Caller } from '../core/caller.js';
import type { Clock } from '../core/clock.js';
import { TributaryError } from '../core/errors.js';
import { ExpressionError, lineOf } from '../core/expression/error.js';
import type { Evaluator } from '../core/expression/evaluator.js';
import { requireInput, requireValid } from '../core/schema.js';
import { mapEvent } from '../signal/map.js';
import { decodeJson, requireReasonable } from './decode.js';

const tryCommand = z.strictObject({
  providerId: z.string().default('generic'),
  settings: z.record(z.string(), z.unknown()),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.string().max(1024 * 1024, 'must be at most 1,048,576 characters'),
});

/** A delivery that nobody sent, and the settings to read it by. */
export type TryMappingCommand = z.input<typeof tryCommand>;

/** Where something went wrong: `settings.…`, `body`, or a place in what the mapping made (`[1].type`). */
export interface TriedProblem extends SettingProblem {
  /** In the expression, from 1; null where that is not known. */
  readonly line: number | null;
  readonly column: number | null;
}

/** What would become of a delivery. */
export interface TriedMapping {
  /** Null: it can't be read or named. */
  readonly event: { readonly id: string; readonly type: string } | null;
  /** None where the mapping makes nothing of it: such a delivery is kept as one `provider_event`. */
  readonly signals: readonly SignalDraft[];
  readonly problems: readonly TriedProblem[];
}

export interface TryDeps {
  readonly catalog: ProviderCatalog;
  readonly clock: Clock;
  readonly evaluator: Evaluator;
}

/** See DeliveryService.tryMapping. */
export async function tryMapping(
  { catalog, clock, evaluator }: TryDeps,
  { tenantId }: Caller,
  command: TryMappingCommand,
): Promise<TriedMapping> {
  const { providerId, settings, headers, body } = requireInput(tryCommand, command);
  const connector = catalog.require(providerId);
  const { webhook, mapping, manifest } = connector;
  if (!webhook || !mapping) throw new TributaryError('UNSUPPORTED', `${manifest.name} has no mapping.`);
  requireValid(manifest.settingsSchema, settings, 'settings');
  const wrong = await problemsOf(evaluator, connector, tenantId, settings);
  if (wrong.length > 0)
    return failed(
      null,
      wrong.map((one) => placed({ ...one, path: `settings.${one.path}` })),
    );
  const lower = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const delivery = { headers: lower, body: Buffer.from(body), receivedAt: clock.now() };
  const event = readEvent(webhook, delivery, settings);
  if (event instanceof MalformedDelivery)
    return failed(null, [placed({ path: 'body', problem: event.message })]);
  return map(evaluator, connector, tenantId, event, settings);
}

async function map(
  evaluator: Evaluator,
  connector: Connector,
  tenantId: string,
  event: ProviderEvent,
  settings: JsonObject,
): Promise<TriedMapping> {
  const { id, type } = event;
  try {
    const signals = (await mapEvent(evaluator, connector, tenantId, event, settings)) ?? [];
    return { event: { id, type }, signals, problems: [] };
  } catch (error) {
    const expression = connector.mapping?.expressionOf(settings);
    if (error instanceof MappingError)
      return failed(
        { id, type },
        error.problems.map((one) => placed(one)),
      );
    if (!(error instanceof ExpressionError) || !expression) throw error;
    const { message: problem, details } = error;
    const place = details.position === undefined ? undefined : lineOf(expression.text, details.position);
    return failed({ id, type }, [placed({ path: `settings.${expression.path}`, problem }, place)]);
  }
}

function readEvent(
  webhook: Webhook,
  delivery: Parameters<Webhook['identify']>[0],
  settings: JsonObject,
): ProviderEvent | MalformedDelivery {
  try {
    const body = webhook.decode ? webhook.decode(delivery) : decodeJson(delivery);
    requireReasonable(body);
    return { ...webhook.identify(delivery, body, settings), body, receivedAt: delivery.receivedAt };
  } catch (error) {
    if (error instanceof MalformedDelivery) return error;
    throw error;
  }
}

function failed(event: TriedMapping['event'], problems: readonly TriedProblem[]): TriedMapping {
  return { event, signals: [], problems };
}

function placed(
  problem: SettingProblem,
  { line, column }: { readonly line?: number; readonly column?: number } = {},
): TriedProblem {
  return { ...problem, line: line ?? null, column: column ?? null };
}
