import type { Connector, JsonObject, ProviderEvent, SignalDraft } from '../connector/index.js';
import type { Evaluator } from '../core/expression/evaluator.js';

/**
 * The signals that a tenant's own mapping makes of an event; undefined where these settings have none. Rejects with
 * ExpressionError, MappingError, or RATE_LIMITED.
 */
export function mapEvent(
  evaluator: Evaluator,
  { mapping }: Pick<Connector, 'mapping'>,
  tenantId: string,
  event: ProviderEvent,
  settings: JsonObject,
): Promise<readonly SignalDraft[]> | undefined {
  const expression = mapping?.expressionOf(settings);
  if (!mapping || !expression) return undefined;
  return evaluator
    .evaluate(tenantId, expression.text, event.body, mapping.bindingsOf(event))
    .then((made) => mapping.toDrafts(made, event));
}
