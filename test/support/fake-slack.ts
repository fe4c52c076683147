import { at, textAt } from '../../src/connector/index.js';
import type { Clock } from '../../src/core/clock.js';
import { type FakeAnswer, type FakeProvider, type FakeRequest, startFakeProvider } from './fake-provider.js';

export const TEAM = 'T0ACME0001';
export const CHANNEL = 'C0GENERAL1';
const BOT = { user: 'U0BOT00001', bot_id: 'B0BOT00001' };
const SCOPES = 'chat:write,reactions:write,channels:history,app_mentions:read,reactions:read';
/** What Slack gives an app that is sold outside its marketplace, however many are asked for. */
const PAGE_SIZE = 15;

export interface FakeMessage {
  readonly ts: string;
  readonly text: string;
  readonly thread_ts?: string;
  readonly [field: string]: unknown;
}

export interface FakeSlack {
  readonly provider: FakeProvider;
  /** The only token it accepts, a bot's. */
  readonly token: string;
  /** Of the one channel, oldest first. */
  readonly messages: readonly FakeMessage[];
  /** As somebody writes it, in a thread where one is given. */
  say(text: string, thread?: string): FakeMessage;
  /** From now on this token is accepted as well, or no longer. */
  accept(token: string): void;
  refuse(token: string): void;
}

/** Slack's Web API as far as the connector asks it, with one workspace of one channel. https://docs.slack.dev/reference/methods */
export async function startFakeSlack(clock: Clock): Promise<FakeSlack> {
  const provider = await startFakeProvider();
  const token = ['xoxb', 'of-the-fake'].join('-');
  const accepted = new Set([token]);
  const messages: FakeMessage[] = [];
  const reactions = new Set<string>();

  function add(fields: Readonly<Record<string, unknown>>, text: string, thread?: string): FakeMessage {
    const seconds = Math.floor(clock.now().getTime() / 1000);
    const ts = `${seconds}.${String(messages.length + 1).padStart(6, '0')}`;
    const message = {
      type: 'message',
      ts,
      text,
      team: TEAM,
      ...fields,
      ...(thread && { thread_ts: thread }),
    };
    messages.push(message);
    return message;
  }

  function post({ body, headers }: FakeRequest): FakeAnswer {
    if (headers['content-type'] !== 'application/json; charset=utf-8') return refusal('invalid_post_type');
    if (textAt(body, 'channel') !== CHANNEL) return refusal('channel_not_found');
    const text = textAt(body, 'text');
    if (text === undefined) return refusal('no_text');
    const metadata = at(body, 'metadata');
    const message = add(
      { ...BOT, ...(metadata !== undefined && { metadata }) },
      text,
      textAt(body, 'thread_ts'),
    );
    provider.addEffect('message');
    return { status: 200, body: { ok: true, channel: CHANNEL, ts: message.ts, message } };
  }

  function react({ body }: FakeRequest): FakeAnswer {
    const [timestamp, name] = [textAt(body, 'timestamp'), textAt(body, 'name')];
    if (textAt(body, 'channel') !== CHANNEL) return refusal('channel_not_found');
    if (!messages.some(({ ts }) => ts === timestamp)) return refusal('message_not_found');
    if (reactions.has(`${timestamp} ${name}`)) return refusal('already_reacted');
    reactions.add(`${timestamp} ${name}`);
    provider.addEffect('reaction');
    return { status: 200, body: { ok: true } };
  }

  function list({ query }: FakeRequest, fits: (message: FakeMessage) => boolean): FakeAnswer {
    if (query['channel'] !== CHANNEL) return refusal('channel_not_found');
    const found = messages
      .filter((message) => message.ts >= (query['oldest'] ?? '') && fits(message))
      .toReversed();
    const start = Number(query['cursor']?.replace('page-', '') ?? 0);
    const end = start + Math.min(PAGE_SIZE, Number(query['limit'] ?? 100));
    const hasMore = end < found.length;
    const withMetadata = query['include_all_metadata'] === 'true';
    const shown = found
      .slice(start, end)
      .map((message) => (withMetadata ? message : { ...message, metadata: undefined }));
    const rest = { has_more: hasMore, response_metadata: { next_cursor: hasMore ? `page-${end}` : '' } };
    return { status: 200, body: { ok: true, messages: shown, ...rest } };
  }

  const on = (route: string, handle: (request: FakeRequest) => FakeAnswer): void =>
    provider.on(route, (request) => {
      const given = request.headers['authorization']?.replace('Bearer ', '') ?? '';
      return accepted.has(given) ? handle(request) : refusal('invalid_auth');
    });

  on('POST /auth.test', () => ({ status: 200, headers: { 'x-oauth-scopes': SCOPES }, body: whoami }));
  on('POST /auth.revoke', ({ headers }) => {
    accepted.delete(headers['authorization']?.replace('Bearer ', '') ?? '');
    return { status: 200, body: { ok: true, revoked: true } };
  });
  on('POST /chat.postMessage', post);
  on('POST /reactions.add', react);
  on('GET /conversations.history', (request) => list(request, (message) => message.thread_ts === undefined));
  on('GET /conversations.replies', (request) =>
    list(request, ({ ts, thread_ts: thread }) => [ts, thread].includes(request.query['ts'])),
  );

  return {
    provider,
    token,
    messages,
    say: (text, thread) => add({ user: 'U0ADA00001' }, text, thread),
    accept: (another) => void accepted.add(another),
    refuse: (another) => void accepted.delete(another),
  };
}

const whoami = {
  ok: true,
  url: 'https://acme.slack.com/',
  team: 'Acme',
  team_id: TEAM,
  user: 'tributary',
  user_id: BOT.user,
  bot_id: BOT.bot_id,
  is_enterprise_install: false,
};

/** How Slack says no: 200. */
export function refusal(error: string): FakeAnswer {
  return { status: 200, body: { ok: false, error } };
}

const WORDS: Readonly<Record<number, string>> = {
  401: 'invalid_auth',
  403: 'missing_scope',
  429: 'ratelimited',
};

/** For a status that is no success: Slack's own for 429 and 5xx, and a proxy's on the way for the others. */
export function slackError(status: number): FakeAnswer {
  return { status, body: { ok: false, error: WORDS[status] ?? 'internal_error' } };
}
