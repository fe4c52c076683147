import { createClient } from 'graphql-ws';
import { type Cut, cutByErrors, cutByThrown } from './cut.js';

/** How to reach a feed, and what to ask of it. */
export interface LinkOptions {
  /** Of the GraphQL endpoint: `wss://host/graphql`. A function may name another at each connection. */
  readonly url: string | (() => string);
  /** Asked at each connection, since tokens run out. */
  readonly token: () => string | Promise<string>;
  /** A subscription to `signalReceived` that takes `$after` and asks for `cursor`. Left out: {@link SIGNALS}. */
  readonly query?: string;
  /** Variables beside `after`, such as the filter. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Where there is no global WebSocket (Node before 22): that of `ws`. */
  readonly webSocketImpl?: SocketClass;
  /** A connection of which nothing is heard for so long counts as dead. It is asked for a sign of life in half of it. */
  readonly silenceMs?: number;
}

/** What a signal is told as, unless the caller asks otherwise. */
export const SIGNALS = `subscription Signals($filter: SignalFilter, $after: Cursor) {
  signalReceived(filter: $filter, after: $after) {
    id cursor sequence type occurredAt correlationId payload
    resource { repository branch prId commit }
    evidence { type url title }
  }
}`;

/** The part of the WebSocket that is used here, as browsers, Node and `ws` have it. */
export type SocketClass = new (url: string, protocols?: string | string[]) => { close(code?: number): void };

/** One connection, until it ends. */
export interface Link<T> {
  /** Undefined once the connection has ended and everything it brought is taken. */
  next(): Promise<T | undefined>;
  /** Why it ended; undefined while it has not. */
  cut(): Cut | undefined;
  close(): void;
}

const SILENCE_MS = 20_000;
/** A consumer that is further behind than this reads on at its own pace: from the server's table, not from memory here. */
const MOST_WAITING = 1_000;

const nothing = (): void => {};

type Data<T> = { readonly signalReceived?: T | null };

export function openLink<T>(options: LinkOptions, after: string | undefined): Link<T> {
  const { silenceMs = SILENCE_MS, query = SIGNALS, variables } = options;
  // What is no address is the caller's mistake, and thrown at once.
  const url = new URL(typeof options.url === 'function' ? options.url() : options.url).href;
  const waiting: T[] = [];
  let cut: Cut | undefined;
  let wake = nothing;
  let unsubscribe = nothing;
  const { Socket, closeSocket } = capture(options.webSocketImpl ?? globalThis.WebSocket);

  function end(reason: Cut): void {
    if (cut) return;
    cut = reason;
    clearTimeout(watchdog);
    // First of all: the library repeats a subscription that a server has closed politely, with the cursor it began with.
    unsubscribe();
    closeSocket();
    wake();
  }

  const watch = () =>
    setTimeout(() => end({ code: 'SILENT', reason: `nothing was heard for ${silenceMs} ms` }), silenceMs);
  let watchdog = watch();

  function heard(): void {
    clearTimeout(watchdog);
    if (!cut) watchdog = watch();
  }

  function take(signal: T): void {
    waiting.push(signal);
    wake();
    if (waiting.length >= MOST_WAITING) end({ code: 'BEHIND', reason: 'more came than was taken' });
  }

  const client = createClient({
    url,
    connectionParams: async () => ({ authorization: `Bearer ${await options.token()}` }),
    webSocketImpl: Socket,
    retryAttempts: 0,
    keepAlive: silenceMs / 2,
    on: {
      message: heard,
      closed: (event) => end(cutByThrown(event)),
    },
  });
  unsubscribe = client.subscribe<Data<T>>(
    { query, variables: { ...variables, after } },
    {
      next({ data, errors }) {
        if (cut) return;
        // A signal of which a part is missing is not told: it comes again with the next connection.
        if (errors?.[0]) end(cutByErrors(errors));
        else if (data?.signalReceived) take(data.signalReceived);
      },
      error: (thrown) => end(cutByThrown(thrown)),
      complete: () => end({ code: 'COMPLETE', reason: 'the server ended the subscription' }),
    },
  );

  return {
    async next() {
      if (waiting.length === 0 && !cut) await new Promise<void>((resolve) => (wake = resolve));
      return waiting.shift();
    },
    cut: () => cut,
    close: () => end({ code: 'CLOSED', reason: 'closed by this side' }),
  };
}

/** The same class, and a way to its instance: the library lets nobody give up one that never opens. */
function capture(Base: SocketClass): { Socket: SocketClass; closeSocket: () => void } {
  let close = nothing;
  class Socket extends Base {
    constructor(url: string, protocols?: string | string[]) {
      super(url, protocols);
      close = () => this.close(1000);
    }
  }
  return { Socket, closeSocket: () => close() };
}
