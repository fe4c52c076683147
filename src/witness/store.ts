import type { Config } from '../config.js';
import type { Clock } from '../core/clock.js';
import { Secret } from '../core/secret.js';
import type { HttpClient, HttpResponse } from '../outbound/client.js';
import type { Authorize } from './authorize.js';
import { createAwsAuthorize } from './aws.js';
import type { News } from './news.js';
import { DEADLINE_MS, type Judge, type Told } from './told.js';

/**
 * The operator's witness: a store of objects over HTTP that keeps what it has. Checkpoints are `<url>/<origin>/<size>`,
 * written once; the newest is also `<url>/<origin>/latest`.
 */
export interface Store {
  /** Without a slash at its end. */
  readonly url: string;
  readonly authorize: Authorize;
  readonly client: HttpClient;
}

/** The one that is configured; undefined where none is. */
export function storeOf(config: Config, client: HttpClient, clock: Clock): Store | undefined {
  const { RECEIPT_WITNESS_URL: url } = config;
  return url === undefined ? undefined : { url, authorize: authorizeOf(config, clock), client };
}

function authorizeOf(config: Config, clock: Clock): Authorize {
  const {
    RECEIPT_WITNESS_TOKEN: token,
    RECEIPT_WITNESS_AWS_REGION: region,
    RECEIPT_WITNESS_AWS_ACCESS_KEY_ID: accessKeyId,
    RECEIPT_WITNESS_AWS_SECRET_ACCESS_KEY: secret,
  } = config;
  if (region && accessKeyId && secret)
    return createAwsAuthorize({ region, accessKeyId, secretAccessKey: new Secret(secret) }, clock);
  const bearer = token === undefined ? undefined : new Secret(token);
  return async ({ headers }) => ({
    ...headers,
    ...(bearer && { authorization: `Bearer ${bearer.reveal()}` }),
  });
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
async function ask(
  { url: base, authorize, client }: Store,
  method: 'GET' | 'PUT',
  { origin, note }: News,
  name: string,
  condition: Readonly<Record<string, string>> = {},
): Promise<HttpResponse> {
  const url = new URL(`${base}/${[...origin.split('/'), name].map(encodeStrictly).join('/')}`);
  const content = method === 'PUT' ? { body: note } : {};
  const headers = {
    'user-agent': 'Tributary',
    ...(method === 'PUT' && { 'content-type': 'text/plain; charset=utf-8', ...condition }),
  };
  const authorized = await authorize({ method, url, headers, ...content });
  return client.send({ method, url, headers: authorized, ...content, deadlineMs: DEADLINE_MS });
}

/** RFC 3986 §2.3: whoever checks a signature of the path writes all but unreserved characters this way. */
function encodeStrictly(segment: string): string {
  return encodeURIComponent(segment).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function isGood({ status }: HttpResponse): boolean {
  return status >= 200 && status < 300;
}

function refused(what: string, { status }: HttpResponse): Told {
  return { is: 'failed', problem: `The store answered ${status} to ${what}.` };
}
