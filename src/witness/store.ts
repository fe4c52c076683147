import type { Config } from '../config.js';
import { Secret } from '../core/secret.js';
import type { HttpClient, HttpResponse } from '../outbound/client.js';
import type { News } from './news.js';
import { DEADLINE_MS, type Judge, type Told } from './told.js';

/**
 * The operator's witness: a store of objects over HTTP that keeps what it has. Checkpoints are `<url>/<origin>/<size>`,
 * written once; the newest is also `<url>/<origin>/latest`.
 */
export interface Store {
  /** Without a slash at its end. */
  readonly url: string;
  /** Sent as `Authorization: Bearer`. */
  readonly token: Secret | undefined;
  readonly client: HttpClient;
}

/** The one that is configured; undefined where none is. */
export function storeOf(
  { RECEIPT_WITNESS_URL: url, RECEIPT_WITNESS_TOKEN: token }: Config,
  client: HttpClient,
): Store | undefined {
  return url === undefined
    ? undefined
    : { url, token: token === undefined ? token : new Secret(token), client };
}

/** Looks first what the store holds, and writes only what continues it. Throws {@link HttpError}. */
export async function tellStore(store: Store, news: News, judge: Judge): Promise<Told> {
  const latest = await ask(store, 'GET', news, 'latest');
  if (latest.status === 200) {
    const objection = await hold(judge, latest.text);
    if (objection) return objection;
  } else if (latest.status !== 404) {
    return refused('reading the latest checkpoint', latest);
  }
  // RFC 9110 §13.1.2: only where nothing is there yet, so that no checkpoint is ever written over.
  const put = await ask(store, 'PUT', news, String(news.size), { 'if-none-match': '*' });
  if (put.status === 412) {
    const there = await ask(store, 'GET', news, String(news.size));
    if (there.status !== 200) return refused('reading a checkpoint', there);
    const objection = await hold(judge, there.text);
    if (objection) return objection;
  } else if (!isGood(put)) {
    return refused('writing a checkpoint', put);
  }
  const moved = await ask(store, 'PUT', news, 'latest');
  return isGood(moved) ? { is: 'taken' } : refused('writing the latest checkpoint', moved);
}

/** Undefined where what the store holds is the log's past. */
async function hold(judge: Judge, seen: string): Promise<Told | undefined> {
  const judgement = await judge(seen);
  if (judgement.is === 'past') return undefined;
  if (judgement.is === 'conflict') return judgement;
  return { is: 'failed', problem: 'The store holds something that is no checkpoint of this log.' };
}

/** The names of logs may hold slashes, which stay, and `%`, which does not. */
function ask(
  { url, token, client }: Store,
  method: 'GET' | 'PUT',
  { origin, note }: News,
  name: string,
  condition: Readonly<Record<string, string>> = {},
): Promise<HttpResponse> {
  const path = [...origin.split('/'), name].map(encodeURIComponent).join('/');
  return client.send({
    method,
    url: new URL(`${url}/${path}`),
    headers: {
      'user-agent': 'Tributary',
      ...(token && { authorization: `Bearer ${token.reveal()}` }),
      ...(method === 'PUT' && { 'content-type': 'text/plain; charset=utf-8', ...condition }),
    },
    ...(method === 'PUT' && { body: note }),
    deadlineMs: DEADLINE_MS,
  });
}

function isGood({ status }: HttpResponse): boolean {
  return status >= 200 && status < 300;
}

function refused(what: string, { status }: HttpResponse): Told {
  return { is: 'failed', problem: `The store answered ${status} to ${what}.` };
}
