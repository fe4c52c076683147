import { setTimeout as delay } from 'node:timers/promises';
import { Client, type ClientConfig, DatabaseError, escapeIdentifier } from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';
import { TributaryError } from './errors.js';
import type { Log } from './log.js';

/** A server that accepts and then says nothing must not hold anybody for ever. The server gives up a little earlier. */
const CONNECT_MS = 5_000;
const QUERY_MS = 10_000;
const STATEMENT_MS = 9_000;
/** A net: nothing here waits for anything but the database while its transaction is open and holds locks. */
const IDLE_IN_TRANSACTION_MS = 30_000;
const GOODBYE_MS = 2_000;
const LISTEN_AGAIN_MS = 250;

/**
 * How to connect to the database of a URL, the same for everyone who does: TLS and whatever else the URL asks for
 * included. With a role, every connection takes it on at its start, and no query may take long.
 */
export function connectionOf(url: string, role?: string): ClientConfig {
  const given = parseIntoClientConfig(url);
  const options = [given.options, role && `-c role=${role}`].filter(Boolean).join(' ');
  return {
    ...given,
    application_name: 'tributary',
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_MS,
    ...(options && { options }),
    ...(role && {
      query_timeout: QUERY_MS,
      statement_timeout: STATEMENT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    }),
  };
}

/** Broken, refused and missing connections; and a server that is starting, stopping, full or out of something. */
const AWAY = /^(08(?!P01)|53|57P0|57014|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)/;
/** What the driver says of it without a code. */
const SAID =
  /Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error/;

/** Whether an error says that the database could not be asked, rather than that it said no. */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return error.errors.some(isDatabaseAway);
  const code = 'code' in error ? String(error.code) : '';
  if (error instanceof DatabaseError) return AWAY.test(code);
  return AWAY.test(code) || SAID.test(error.message) || isDatabaseAway(error.cause);
}

/** A text from a caller that PostgreSQL can't hold: NUL, or a broken character. */
const UNSTORABLE = new Set(['22021', '22P05', '08P01']);

/**
 * What an error of the database means to a caller, where it means anything but a bug of ours: the database is away, or
 * a text can't be stored.
 */
export function toCallersError(error: unknown): TributaryError | undefined {
  if (error instanceof Error && 'code' in error && UNSTORABLE.has(String(error.code))) {
    return new TributaryError(
      'INVALID_INPUT',
      'A text holds a character that can’t be stored, such as NUL.',
      {},
      { cause: error },
    );
  }
  if (!isDatabaseAway(error)) return undefined;
  const details = { retry_after_seconds: 1 };
  return new TributaryError('STORAGE_UNAVAILABLE', 'The database does not answer.', details, {
    cause: error,
  });
}

/** Hears of NOTIFY on any number of channels, over one connection. */
export interface Listener {
  /**
   * Calls back for every NOTIFY on the channel, now, and once after each time that the connection was made anew, since
   * what came meanwhile is lost. Answers what ends it.
   */
  listen(channel: string, onNotify: () => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** Connects when the first one listens, and again whenever the connection breaks. */
export function createListener(connection: ClientConfig, log: Log): Listener {
  const channels = new Map<string, Set<() => void>>();
  let connecting: Promise<Client> | undefined;
  let retry: NodeJS.Timeout | undefined;
  let isClosed = false;

  async function connect(): Promise<Client> {
    const client = new Client(connection);
    client.on('notification', ({ channel }) => tell(channel));
    client.on('error', (error) => {
      log.warn({ error: error.message }, 'database: the listening connection broke; connecting again');
      connectLater();
    });
    try {
      await client.connect();
      for (const channel of channels.keys()) await client.query(`listen ${escapeIdentifier(channel)}`);
    } catch (error) {
      // A standby takes connections and no LISTEN: each that is not ended would stay open beside the next.
      await discard(client);
      throw error;
    }
    for (const channel of channels.keys()) tell(channel);
    return client;
  }

  function connectLater(): void {
    clearTimeout(retry);
    if (isClosed) return;
    retry = setTimeout(() => {
      connecting = connect();
      connecting.catch(connectLater);
    }, LISTEN_AGAIN_MS);
  }

  function tell(channel: string): void {
    for (const onNotify of channels.get(channel) ?? []) onNotify();
  }

  return {
    async listen(channel, onNotify) {
      const known = channels.get(channel) ?? new Set();
      channels.set(channel, known.add(onNotify));
      if (connecting) {
        const client = await connecting;
        await client.query(`listen ${escapeIdentifier(channel)}`);
        onNotify();
      } else {
        connecting = connect();
        await connecting;
      }
      return async () => void known.delete(onNotify);
    },
    async close() {
      isClosed = true;
      clearTimeout(retry);
      const client = await connecting?.catch(() => undefined);
      if (client) await discard(client);
    },
  };
}

async function discard(client: Client): Promise<void> {
  client.removeAllListeners('error');
  client.on('error', () => {});
  await letGo(client.end());
}

/** A goodbye that nobody answers must not hold a stop up: a connection that is broken is gone either way. */
export async function letGo(goodbye: Promise<unknown>): Promise<void> {
  const impatience = new AbortController();
  await Promise.race([
    goodbye.catch(() => {}),
    delay(GOODBYE_MS, undefined, { signal: impatience.signal }).catch(() => {}),
  ]);
  impatience.abort();
}
