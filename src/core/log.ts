import { type Logger, pino } from 'pino';

export type Log = Logger;

/** Header and field names whose values never reach a log line, wherever a caller may have put them. */
const REDACTED = ['authorization', 'cookie', 'secret', 'token', 'password', 'credential', 'body'].flatMap(
  (name) => [name, `*.${name}`, `*.*.${name}`],
);

/** JSON lines on standard error, so that standard output stays free for what a person or a script asked for. */
export function createLog(level: string): Log {
  return pino(
    { level, redact: { paths: REDACTED, censor: '[secret]' } },
    pino.destination({ dest: 2, sync: true }),
  );
}
