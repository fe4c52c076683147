import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { onTestFinished } from 'vitest';

/** A line to PostgreSQL that breaks when a commit has taken effect, before anybody is told. */
export interface CommitLine {
  /** The same database by this line. */
  url(url: string): string;
  /** For the next transaction that sends such a text. `isLast`: nothing passes after it until the line is mended. */
  loseCommitOf(text: string, isLast?: boolean): void;
  /** How many answers were lost. */
  lost(): number;
  mend(): void;
}

/** A simple query of PostgreSQL's protocol: a byte, a length, the text. */
const COMMIT = /^Q[\s\S]{4}commit/i;

/** Closed when the running test ends. */
export async function useCommitLine(): Promise<CommitLine> {
  const sockets = new Set<Socket>();
  let target = new URL('postgres://127.0.0.1');
  let awaited: { readonly text: string; readonly isLast: boolean } | undefined;
  let [lost, isCut] = [0, false];

  const destroyAll = (): void => sockets.forEach((socket) => socket.destroy());

  const proxy = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(Number(target.port || 5432), target.hostname);
    let [hasText, isLosing] = [false, false];
    for (const socket of [near, far]) sockets.add(socket.on('error', () => {}));
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    near.on('data', (chunk) => {
      hasText ||= awaited !== undefined && chunk.includes(awaited.text);
      isLosing ||= hasText && COMMIT.test(chunk.toString('latin1'));
      far.write(chunk);
    });
    far.on('data', (chunk) => {
      if (!isLosing) {
        near.write(chunk);
        return;
      }
      lost += 1;
      isCut = awaited?.isLast ?? false;
      awaited = undefined;
      if (isCut) destroyAll();
      else near.destroy();
    });
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as AddressInfo;
  onTestFinished(() => {
    proxy.close();
    destroyAll();
  });

  return {
    url(url) {
      target = new URL(url);
      const own = new URL(url);
      own.host = `127.0.0.1:${port}`;
      return own.href;
    },
    loseCommitOf: (text, isLast = false) => void (awaited = { text, isLast }),
    lost: () => lost,
    mend: () => void (isCut = false),
  };
}
