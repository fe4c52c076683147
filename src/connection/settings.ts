import type { Connector, JsonObject } from '../connector/index.js';
import type { Evaluator } from '../core/expression/evaluator.js';
import { invalid } from '../core/schema.js';

/** What is wrong with one setting. */
export interface SettingProblem {
  readonly path: string;
  readonly problem: string;
}

/** What the schema of settings can't see: what the connector knows of them, and how an expression is written. */
export async function problemsOf(
  evaluator: Evaluator,
  { checkSettings, mapping }: Pick<Connector, 'checkSettings' | 'mapping'>,
  tenantId: string,
  settings: JsonObject,
): Promise<readonly SettingProblem[]> {
  const problems = checkSettings?.(settings) ?? [];
  const expression = mapping?.expressionOf(settings);
  const mistake = expression && (await evaluator.check(tenantId, expression.text));
  return mistake ? [...problems, { path: expression.path, problem: mistake.message }] : problems;
}

/** Throws INVALID_INPUT that names all of them, or RATE_LIMITED. */
export async function requireSound(
  evaluator: Evaluator,
  connector: Connector,
  tenantId: string,
  settings: JsonObject,
): Promise<void> {
  const problems = await problemsOf(evaluator, connector, tenantId, settings);
  if (problems.length === 0) return;
  throw invalid(problems.map(({ path, problem }) => ({ field: `settings.${path}`, problem })));
}
