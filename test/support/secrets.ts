import { randomUUID } from 'node:crypto';
import { Writable } from 'node:stream';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { type Logger, pino } from 'pino';
import { expect } from 'vitest';
import { ExecuteActionDocument } from '../../schema/generated/operations.js';
import type { TestApp, TestCaller } from './app.js';
import type { TestDatabase } from './database.js';
import type { Behavior } from './fake-provider.js';

/** Secrets that were planted, each under a name for the message of a check that fails. */
export interface Planted {
  /** Answers the secret. */
  plant(name: string, secret: string): string;
  /** Client id and secret as HTTP Basic puts them together, RFC 7617. */
  plantBasic(name: string, id: string, secret: string): void;
  /** Throws when any of them is in any of the texts, in any form. */
  expectNoneIn(places: Readonly<Record<string, string>>): void;
}

/** Shorter ones turn up by chance. */
const SHORTEST = 16;

export function createPlanted(): Planted {
  const planted = new Map<string, string>();
  function plant(name: string, secret: string): string {
    expect(secret.length, name).toBeGreaterThanOrEqual(SHORTEST);
    planted.set(name, secret);
    return secret;
  }
  return {
    plant,
    plantBasic(name, id, secret) {
      plant(name, secret);
      plant(`${name} with its id`, `${encodeURIComponent(id)}:${encodeURIComponent(secret)}`);
    },
    expectNoneIn(places) {
      expect(planted.size).toBeGreaterThan(0);
      for (const [name, secret] of planted) {
        for (const [form, text] of formsOf(secret)) expectNotIn(places, text, `${name} (${form})`);
      }
    },
  };
}

function expectNotIn(places: Readonly<Record<string, string>>, secret: string, name: string): void {
  for (const [place, text] of Object.entries(places)) {
    const at = text.indexOf(secret);
    if (at < 0) continue;
    throw new Error(`${place} hold ${name}: …${text.slice(Math.max(0, at - 300), at + secret.length + 50)}…`);
  }
}

/** As it is, and in every dress it could slip out in. */
export function* formsOf(secret: string): Iterable<[form: string, text: string]> {
  yield ['clear', secret];
  yield ['in JSON', escaped(secret)];
  yield ['in JSON in JSON', escaped(escaped(secret))];
  yield ['URL-encoded', encodeURIComponent(secret)];
  yield ['URL-encoded twice', encodeURIComponent(encodeURIComponent(secret))];
  yield ['in a form', new URLSearchParams([['', secret]]).toString().slice(1)];
  yield ['hex', Buffer.from(secret).toString('hex')];
  yield ['HEX', Buffer.from(secret).toString('hex').toUpperCase()];
  for (const before of [0, 1, 2]) {
    const text = base64Behind(before, secret);
    yield [`base64 behind ${before} bytes`, text];
    yield [`base64url behind ${before} bytes`, text.replaceAll('+', '-').replaceAll('/', '_')];
    yield [`base64 behind ${before} bytes, URL-encoded`, encodeURIComponent(text)];
  }
}

const escaped = (text: string): string => JSON.stringify(text).slice(1, -1);

/** The characters that say nothing of what stands before and after, wherever in a longer text the secret is. */
function base64Behind(bytes: number, secret: string): string {
  const text = Buffer.from(' '.repeat(bytes) + secret).toString('base64');
  const whole = Math.floor(((bytes + Buffer.byteLength(secret)) * 8) / 6);
  return text.slice([0, 2, 3][bytes], whole);
}

/** All that an app lets out, kept as it comes. */
export interface Watched {
  /** For the app to log to: every level, and nothing is taken out of it. */
  readonly log: Logger;
  /** Each answer as it came, without what it is there to show once: the webhook's URL and secret, and links. */
  readonly answers: string[];
  /** A caller whose answers are kept. */
  keep(caller: TestCaller): TestCaller;
  /** Any other request, whose answer is kept. */
  request(url: string, init?: RequestInit): Promise<Response>;
  /** Subscribes to a feed, and keeps what comes until the caller's socket is closed. Answers how many came so far. */
  follow(caller: TestCaller, query: string, variables?: Record<string, unknown>): () => number;
  /** All of it: logs, answers, and now metrics and the whole database of each app. */
  places(...apps: readonly TestApp[]): Promise<Readonly<Record<string, string>>>;
}

export function createWatched(): Watched {
  const lines: string[] = [];
  const answers: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });

  return {
    log: pino({ level: 'trace' }, sink),
    answers,
    keep: (caller) => keepAnswers(caller, answers),
    async request(url, init) {
      const response = await fetch(url, { redirect: 'manual', ...init });
      answers.push(`${JSON.stringify([...response.headers])} ${withoutShown(await response.clone().text())}`);
      return response;
    },
    follow(caller, query, variables = {}) {
      let count = 0;
      caller.socket().subscribe(
        { query, variables },
        {
          next(result) {
            count += 1;
            answers.push(withoutShown(JSON.stringify(result)));
          },
          error: (error) => void answers.push(String(error)),
          complete() {},
        },
      );
      return () => count;
    },
    async places(...apps) {
      const metrics = apps.map(async ({ url }) => (await fetch(`${url}/metrics`)).text());
      const databases = apps.map(({ database }) => dump(database));
      return {
        logs: lines.join(''),
        answers: answers.join('\n'),
        metrics: (await Promise.all(metrics)).join('\n'),
        tables: (await Promise.all(databases)).join('\n'),
      };
    },
  };
}

function keepAnswers(caller: TestCaller, answers: string[]): TestCaller {
  async function ask<T, V>(document: TypedDocumentNode<T, V> | string, variables?: V) {
    const found = await caller.ask(document, variables);
    answers.push(withoutShown(JSON.stringify([[...found.headers], found.data, found.errors])));
    return found;
  }
  return {
    ...caller,
    ask,
    async get(document, variables) {
      const { data, errors } = await ask(document, variables);
      if (errors[0] || !data) throw new Error(`${errors[0]?.extensions.code}: ${errors[0]?.message}`);
      return data;
    },
  };
}

const SHOWN = new Set(['authorizationUrl', 'authorization_url']);

/** The fields that are made for it may show a webhook's URL and secret, or a link; everything else may not. */
function withoutShown(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), (key, value: unknown) => {
      if (SHOWN.has(key)) return undefined;
      if (key !== 'webhook' || typeof value !== 'object' || value === null) return value;
      const { url: _url, secret: _secret, ...rest } = value as Record<string, unknown>;
      return rest;
    });
  } catch {
    return text;
  }
}

/** Every row of every table, those of the scheduler too, past row-level security. */
export async function dump(database: TestDatabase): Promise<string> {
  const tables = await database.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema')`,
  );
  expect(tables.length).toBeGreaterThan(15);
  const rows = await Promise.all(
    tables.map(async ({ name }) => [name, await database.query(`select t::text as row from ${name} t`)]),
  );
  return JSON.stringify(rows);
}

/** Over REST, by the same token. Answers are kept. */
export function restOf(watched: Watched, { url }: TestApp, { token }: TestCaller) {
  return (method: string, path: string, body?: unknown): Promise<Response> =>
    watched.request(`${url}/v1/integrations${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
}

/** How a provider could repeat what it was sent. */
export const repetitions: Readonly<Record<string, (text: string) => string>> = {
  'as it came': (text) => text,
  'URL-encoded': encodeURIComponent,
  hex: (text) => Buffer.from(text).toString('hex'),
  base64: (text) => Buffer.from(text).toString('base64'),
};

/**
 * Refuses, and repeats what it was sent: `pick` says what. In the body, wherever people or programs look for what is
 * wrong; in headers; and in the address of a redirect.
 */
export function repeat(
  status: number,
  form: (text: string) => string,
  pick: (request: Parameters<Behavior>[0]['request']) => string,
): Behavior {
  return ({ request, send }) => {
    const told = form(pick(request));
    const place = encodeURIComponent(told);
    send({
      status,
      headers: {
        'x-request': place,
        'www-authenticate': `Bearer error="${place}"`,
        location: `https://elsewhere.example/?from=${place}`,
      },
      body: {
        message: `You sent ${told}.`,
        error: { code: told, message: `You sent ${told}.`, details: [told] },
        error_description: told,
        errors: [{ message: told, value: told }],
      },
    });
  };
}

/**
 * Opens a link as a browser does, and goes on; plants what only this browser may know. What the two answers say beside
 * that is kept. Answers the cookie, and the address at the provider.
 */
export async function openLink(
  { watched, planted }: { readonly watched: Watched; readonly planted: Planted },
  link: string,
): Promise<{ readonly cookie: string; readonly provider: URL }> {
  planted.plant('a link', link.split('/').at(-1) ?? '');
  const page = await fetch(link);
  const cookie = page.headers.get('set-cookie')?.split(';')[0] ?? '';
  planted.plant('a browser’s session', cookie.split('=')[1] ?? '');
  watched.answers.push(await page.text());
  const opened = await fetch(link, { method: 'POST', headers: { cookie }, redirect: 'manual' });
  watched.answers.push(await opened.text());
  const provider = new URL(opened.headers.get('location') ?? '');
  planted.plant('a state', provider.searchParams.get('state') ?? '');
  return { cookie, provider };
}

/** Comments on the example provider's one issue, if the connection lets anybody. */
export function tryToComment(caller: TestCaller, connectionId: string): Promise<unknown> {
  const action = { addIssueComment: { project: 'DEMO', issue: 'DEMO-1', body: 'Hello.' } };
  return caller.ask(ExecuteActionDocument, {
    input: { connectionId, idempotencyKey: randomUUID(), action },
  });
}
