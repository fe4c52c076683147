import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import jsonata from 'jsonata';

// Runs by itself: it is the one place where what tenants wrote is carried out, so it holds no secret, no environment
// and no way back but its port, and it is ended from outside when it takes too long or too much.

export interface WorkerLimits {
  /** How deep calls may nest. */
  readonly stack: number;
  /** How many elements a sequence may have. */
  readonly sequence: number;
  /** How deep the result may nest. */
  readonly depth: number;
  /** How long the result may be, as JSON, in UTF-16 units. */
  readonly resultLength: number;
}

export interface EvaluationRequest {
  readonly text: string;
  /** JSON; undefined: only the syntax is looked at. */
  readonly input: string | undefined;
  readonly bindings: Readonly<Record<string, unknown>>;
}

/** `json` is left out where the expression made nothing. */
export type EvaluationAnswer =
  | { readonly json?: string }
  | { readonly code: string; readonly problem: string; readonly position?: number };

/** A mapping must make the same of the same event, today and in a replay; and what it does must be there to read. */
const REFUSED = ['eval', 'now', 'millis', 'random', 'shuffle'] as const;
const MAX_KEPT = 50;
/** UTF-16 units. */
const MAX_PROBLEM = 500;
const STUMBLED: EvaluationAnswer = {
  code: 'failed',
  problem: 'It can’t be evaluated. Look for a function that stands where a value is needed.',
};
/** Where even the error can't be told: without a word of it, as it may hold values. */
const UNTOLD: EvaluationAnswer = { code: 'failed', problem: 'It failed.' };

class TooMuch extends Error {
  readonly code = 'too_large';
}

function compile(text: string, { stack, sequence }: WorkerLimits): jsonata.Expression {
  const expression = jsonata(text, { stack, sequence });
  for (const name of REFUSED) {
    expression.assign(name, () => {
      throw new Error(`$${name} is not available here: the same event must always make the same.`);
    });
  }
  return expression;
}

function requireShallow(value: unknown, levels: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (levels === 0) throw new TooMuch('The result is nested too deep.');
  for (const inner of Object.values(value)) requireShallow(inner, levels - 1);
}

async function answer(
  { text, input, bindings }: EvaluationRequest,
  limits: WorkerLimits,
  find: (text: string) => jsonata.Expression,
): Promise<EvaluationAnswer> {
  let expression: jsonata.Expression;
  try {
    expression = find(text);
  } catch (error) {
    return toProblem(error);
  }
  if (input === undefined) return {};
  try {
    const result: unknown = await expression.evaluate(JSON.parse(input), bindings);
    requireShallow(result, limits.depth);
    const json = JSON.stringify(result) as string | undefined;
    if (json === undefined) return {};
    if (json.length > limits.resultLength) throw new TooMuch('The result is too large.');
    return { json };
  } catch (error) {
    return withoutValues(error);
  }
}

/** Without the values that JSONata puts into its messages: they are a part of somebody's event. */
function withoutValues(error: unknown): EvaluationAnswer {
  const { message = '', value, value2 } = error as JsonataError;
  const told = [value, value2]
    .map(toJson)
    .filter((found) => found !== undefined)
    .reduce((text, found) => text.replaceAll(found, '…'), message);
  return toProblem(error, told);
}

/** Undefined for what JSON can't hold, a function above all: that is no part of an event, nor can a message show it. */
function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

interface JsonataError {
  readonly code?: string;
  readonly message?: string;
  readonly position?: number;
  readonly value?: unknown;
  readonly value2?: unknown;
}

function toProblem(error: unknown, told?: string): EvaluationAnswer {
  // JSONata's own stumbling, whose words are about its insides and not for who wrote the expression.
  if (error instanceof TypeError) return STUMBLED;
  const { code = 'failed', message, position } = error as JsonataError;
  // `$error` says whatever its author wants, at any length.
  const problem = (told ?? message ?? 'It failed.').slice(0, MAX_PROBLEM).toWellFormed();
  return { code, problem, ...(position !== undefined && { position }) };
}

function serve(port: MessagePort, limits: WorkerLimits): void {
  const kept = new Map<string, jsonata.Expression>();
  const find = (text: string): jsonata.Expression => {
    const known = kept.get(text);
    if (known) return known;
    const made = compile(text, limits);
    if (kept.size >= MAX_KEPT) kept.clear();
    kept.set(text, made);
    return made;
  };
  port.on('message', (request: EvaluationRequest) => {
    // Whatever happens the other side gets an answer: what is thrown past here ends the thread.
    void answer(request, limits, find).then(
      (found) => port.postMessage(found),
      () => port.postMessage(UNTOLD),
    );
  });
  port.postMessage('ready');
}

if (parentPort) serve(parentPort, workerData as WorkerLimits);
