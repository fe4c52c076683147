import { type Cut, FeedRefused, isFinal } from './cut.js';
import { type Link, type LinkOptions, openLink } from './link.js';

/** What to follow, and how to get there. */
export interface FollowOptions extends LinkOptions {
  /** `cursor` of the last signal that is done with; left out: from now on. */
  readonly after?: string | undefined;
  /** Ends the stream, also while it waits. */
  readonly abort?: AbortSignal;
  /** Between two attempts; it begins with a quarter of a second and doubles. 15 s when left out. */
  readonly longestWaitMs?: number;
  /**
   * Asked when signals behind `after` were deleted before they were taken, since their time was over: which cursor to go
   * on from. `oldest` gets all that is still there; undefined, as when this is left out, throws {@link FeedRefused}.
   */
  readonly onExpired?: (oldest: string) => string | undefined;
  /** Hears of every end of a connection, and how long until the next one. */
  readonly onCut?: (cut: Cut, waitMs: number) => void;
}

/** What every document must ask of a signal. */
export interface Received {
  readonly cursor: string;
}

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 15_000;

/**
 * Every signal that `signalReceived` tells of, each once and in order, for ever: whenever the connection ends, whoever
 * ended it and why, it subscribes again behind the last signal that was taken. A gateway may well end a subscription as
 * if it were complete when it has only lost us; so "complete" is an end as any other.
 *
 * A signal counts as taken when the next one is asked for. Who keeps its `cursor` then, and gives it as `after` next
 * time, goes on behind it even after a restart. Without `after`, what comes while the very first connection is cut
 * before its first signal is not told: there is no cursor yet to resume behind.
 *
 * Throws {@link FeedRefused} for what no repetition mends: a cursor that is none or is too old (unless
 * {@link FollowOptions.onExpired} names another), a missing scope, a document or filter the server refuses.
 */
export async function* followSignals<T extends Received>(options: FollowOptions): AsyncGenerator<T, void> {
  const { abort, onCut, longestWaitMs = LONGEST_WAIT_MS } = options;
  let { after } = options;
  let waitMs = FIRST_WAIT_MS;
  for (;;) {
    if (abort?.aborted) return;
    const link = openLink<T>(options, after);
    const began = performance.now();
    try {
      for (let one = await nextOf(link, abort); one !== undefined; one = await nextOf(link, abort)) {
        yield one;
        after = one.cursor;
        waitMs = FIRST_WAIT_MS;
      }
    } finally {
      link.close();
    }
    const cut = link.cut();
    if (abort?.aborted || !cut) return;
    if (isFinal(cut)) after = goOnFrom(new FeedRefused(cut), options);
    if (cut.code === 'BEHIND') continue;
    // A quiet feed whose token runs out once a day has had no bad luck.
    if (performance.now() - began > longestWaitMs) waitMs = FIRST_WAIT_MS;
    // A random part, so that a thousand followers do not all come back in the same instant.
    const pause = waitMs * (0.5 + Math.random() / 2);
    onCut?.(cut, pause);
    await sleep(pause, abort);
    waitMs = Math.min(waitMs * 2, longestWaitMs);
  }
}

/** The cursor that the caller chooses instead of an expired one. Throws what was refused when there is no such choice. */
function goOnFrom(refused: FeedRefused, { onExpired }: FollowOptions): string {
  const chosen = refused.oldestCursor === undefined ? undefined : onExpired?.(refused.oldestCursor);
  if (chosen === undefined) throw refused;
  return chosen;
}

/** Undefined when the connection has ended, or the stream is to end. */
async function nextOf<T>(link: Link<T>, abort: AbortSignal | undefined): Promise<T | undefined> {
  if (!abort) return link.next();
  const stop = () => link.close();
  abort.addEventListener('abort', stop);
  try {
    return abort.aborted ? undefined : await link.next();
  } finally {
    abort.removeEventListener('abort', stop);
  }
}

function sleep(ms: number, abort: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      abort?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    abort?.addEventListener('abort', done);
  });
}
