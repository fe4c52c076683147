import { TributaryError } from '../errors.js';
import { ExpressionError } from './error.js';
import { type Runner, type RunnerLimits, startRunner } from './runner.js';
import type { EvaluationAnswer, EvaluationRequest } from './worker.js';

export interface EvaluatorLimits extends RunnerLimits {
  readonly threads: number;
  /** How long an expression may be, in UTF-16 units. */
  readonly textLength: number;
  /** How large what it is evaluated over may be, as JSON. */
  readonly inputLength: number;
  /** How many of one owner's may wait. */
  readonly waiting: number;
}

export const evaluatorLimits: EvaluatorLimits = {
  threads: 2,
  milliseconds: 500,
  memoryMegabytes: 64,
  stack: 200,
  sequence: 10_000,
  depth: 32,
  textLength: 16_384,
  inputLength: 1024 * 1024,
  resultLength: 256 * 1024,
  waiting: 64,
};

/** Evaluates JSONata that tenants wrote, in threads of its own and within limits. */
export interface Evaluator {
  /**
   * What the expression makes of the input; undefined: nothing. Of one owner's one runs at a time, and owners take turns.
   * Throws {@link ExpressionError}, or RATE_LIMITED when too many of the owner's are waiting.
   */
  evaluate(
    owner: string,
    text: string,
    input: unknown,
    bindings?: Readonly<Record<string, unknown>>,
  ): Promise<unknown>;
  /** What is wrong with how it is written; null: nothing. */
  check(owner: string, text: string): Promise<ExpressionError | null>;
  close(): Promise<void>;
}

interface Task {
  readonly owner: string;
  readonly request: EvaluationRequest;
  readonly resolve: (answer: EvaluationAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** No thread is started before the first expression comes. */
export function createEvaluator(limits: EvaluatorLimits = evaluatorLimits): Evaluator {
  const idle: Runner[] = [];
  const running = new Map<string, Runner>();
  const queue = createTurns(limits.waiting);
  let isClosed = false;

  function takeUp(): void {
    if (isClosed) return;
    while (running.size < limits.threads) {
      const task = queue.next((owner) => !running.has(owner));
      if (!task) return;
      void carryOut(task);
    }
  }

  async function carryOut({ owner, request, resolve, reject }: Task): Promise<void> {
    const runner = idle.pop() ?? startRunner(limits);
    running.set(owner, runner);
    try {
      resolve(await runner.ask(request));
    } catch (error) {
      reject(error);
    }
    running.delete(owner);
    if (runner.isAlive() && !isClosed) idle.push(runner);
    takeUp();
  }

  async function ask(owner: string, request: EvaluationRequest): Promise<EvaluationAnswer> {
    requireShort(request, limits);
    const { promise, resolve, reject } = Promise.withResolvers<EvaluationAnswer>();
    queue.add({ owner, request, resolve, reject });
    takeUp();
    return promise;
  }

  return {
    async evaluate(owner, text, input, bindings = {}) {
      const answer = await ask(owner, { text, input: JSON.stringify(input) ?? 'null', bindings });
      if ('problem' in answer) throw new ExpressionError(answer, text);
      return answer.json === undefined ? undefined : (JSON.parse(answer.json) as unknown);
    },
    async check(owner, text) {
      try {
        const answer = await ask(owner, { text, input: undefined, bindings: {} });
        return 'problem' in answer ? new ExpressionError(answer, text) : null;
      } catch (error) {
        if (error instanceof ExpressionError) return error;
        throw error;
      }
    },
    async close() {
      isClosed = true;
      queue.clear(
        new TributaryError('SHUTTING_DOWN', 'This process is stopping.', { retry_after_seconds: 1 }),
      );
      await Promise.all([...idle, ...running.values()].map((runner) => runner.close()));
    },
  };
}

function requireShort({ text, input = '' }: EvaluationRequest, limits: EvaluatorLimits): void {
  const [what, most] =
    text.length > limits.textLength
      ? ['expression', limits.textLength]
      : ['event', input.length > limits.inputLength ? limits.inputLength : Infinity];
  if (most === Infinity) return;
  const problem = `The ${what} is longer than ${most} characters.`;
  throw new ExpressionError({ code: 'too_large', problem });
}

/** Owners take turns, whoever has how many waiting. */
function createTurns(most: number) {
  // In the order of turns: whoever had one goes to the end.
  const waiting = new Map<string, Task[]>();
  return {
    add(task: Task): void {
      const tasks = waiting.get(task.owner) ?? [];
      if (tasks.length >= most) {
        throw new TributaryError('RATE_LIMITED', 'Too many of this tenant’s mappings are waiting.', {
          retry_after_seconds: 1,
        });
      }
      tasks.push(task);
      waiting.set(task.owner, tasks);
    },
    next(isFree: (owner: string) => boolean): Task | undefined {
      for (const [owner, tasks] of waiting) {
        if (!isFree(owner)) continue;
        const task = tasks.shift();
        waiting.delete(owner);
        if (tasks.length > 0) waiting.set(owner, tasks);
        return task;
      }
      return undefined;
    },
    clear(error: Error): void {
      for (const task of [...waiting.values()].flat()) task.reject(error);
      waiting.clear();
    },
  };
}
