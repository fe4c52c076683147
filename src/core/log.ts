import { type Logger, pino } from 'pino';
import { currentCorrelation, traceIds } from './trace.js';

export type Log = Logger;

/** Header and field names whose values never reach a log line, wherever a caller may have put them. */
const REDACTED = ['authorization', 'cookie', 'secret', 'token', 'password', 'credential', 'body'].flatMap(
  (name) => [name, `*.${name}`, `*.*.${name}`],
);

/** JSON lines on standard error, so that standard output stays free for what a person or a script asked for. */
export function createLog(level: string): Log {
  return pino(
    { level, redact: { paths: REDACTED, censor: '[secret]' }, mixin: placeOf },
    pino.destination({ dest: 2, sync: true }),
  );
}

/** What a line belongs to; a line that says its correlation id itself knows better. */
export function placeOf(): Record<string, string> {
  const correlationId = currentCorrelation();
  const ids = traceIds();
  return {
    ...(correlationId !== undefined && { correlationId }),
    ...(ids && { trace_id: ids.traceId, span_id: ids.spanId }),
  };
}
