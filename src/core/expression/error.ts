export interface ExpressionProblem {
  /** JSONata's own (`S0202`, `T2001`), or ours: too_slow, too_large, failed. */
  readonly code: string;
  /** For the person who wrote it; without values of the event. */
  readonly problem: string;
  /** How many characters stand before the place, as far as that is known. */
  readonly position?: number;
}

/** What a tenant's expression did wrong: data for its admin, not a bug of ours. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
  readonly details: ExpressionProblem;

  constructor(details: ExpressionProblem, text = '') {
    const { code, problem, position } = details;
    super(`${problem} (${code}${position === undefined ? '' : `, ${placeOf(text, position)}`})`);
    this.details = details;
  }
}

/** Where an editor shows a position: both count from 1. */
export function lineOf(text: string, position: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, position).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

function placeOf(text: string, position: number): string {
  const { line, column } = lineOf(text, position);
  return `line ${line}, column ${column}`;
}
