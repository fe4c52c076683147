import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { onTestFinished } from 'vitest';

/** A line to PostgreSQL that counts what it is asked. */
export interface StatementLine {
  /** The same database by this line. */
  url(url: string): string;
  /** Statements that were answered. */
  count(): number;
  /** Milliseconds since the last of them. */
  quietMs(): number;
}

/** The byte that begins PostgreSQL's message CommandComplete. */
const COMPLETE = 'C'.charCodeAt(0);

/** Closed when the running test ends. */
export async function useStatementLine(): Promise<StatementLine> {
  let target = new URL('postgres://127.0.0.1');
  let [count, lastAt] = [0, performance.now()];
  const note = () => {
    count += 1;
    lastAt = performance.now();
  };
  const proxy = createServer((near) => {
    const far = connect(Number(target.port || 5432), target.hostname);
    near.on('error', () => far.destroy()).on('close', () => far.destroy());
    far.on('error', () => near.destroy()).on('close', () => near.destroy());
    far.on('data', reader(note));
    near.pipe(far).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as AddressInfo;
  onTestFinished(() => void proxy.close());
  return {
    url(url) {
      target = new URL(url);
      const own = new URL(url);
      own.host = `127.0.0.1:${port}`;
      return own.href;
    },
    count: () => count,
    quietMs: () => performance.now() - lastAt,
  };
}

/** Each message of the server is a byte, its length without that, and so many bytes. */
function reader(onComplete: () => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 5) {
      const length = 1 + rest.readInt32BE(1);
      if (rest.length < length) return;
      if (rest[0] === COMPLETE) onComplete();
      rest = rest.subarray(length);
    }
  };
}
