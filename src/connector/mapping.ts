import type { Json, JsonObject } from './json.js';
import type { SignalDraft } from './signal.js';
import type { ProviderEvent } from './webhook.js';

/** An expression that a tenant wrote, in JSONata. */
export interface MappingExpression {
  /** The setting it stands in, as a dotted path. */
  readonly path: string;
  readonly text: string;
}

/** What a mapping made that is no signal. */
export interface MappingProblem {
  /** Where in what it made: `[1].occurredAt`. */
  readonly path: string;
  readonly problem: string;
}

/** Thrown by {@link Mapping.toDrafts}. The delivery is kept as a dead letter, and redriven when the settings are mended. */
export class MappingError extends Error {
  override readonly name = 'MappingError';
  readonly problems: readonly MappingProblem[];

  constructor(problems: readonly MappingProblem[]) {
    super(problems.map(({ path, problem }) => `${path}: ${problem}`).join('; '));
    this.problems = problems;
  }
}

/**
 * How a tenant's own settings make signals of events, in place of the connector's `normalize`. The core evaluates the
 * expression over the event's body, within limits of time and size, and without anything that could make another of the
 * same event: no clock, no chance. Connector code stays pure.
 */
export interface Mapping {
  /** The expression of these settings. Undefined: they have none, and `normalize` serves. */
  expressionOf(settings: JsonObject): MappingExpression | undefined;
  /** What the expression may ask for beside the body, by name: `$event`. */
  bindingsOf(event: ProviderEvent): Readonly<Record<string, Json>>;
  /** What it made, as signals. Pure. Throws {@link MappingError}. */
  toDrafts(made: unknown, event: ProviderEvent): readonly SignalDraft[];
}
