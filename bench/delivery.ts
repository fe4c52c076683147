import { createHash, createHmac, randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';

interface PublishedEvent {
  readonly name: string;
  readonly examples: readonly PullRequestEvent[];
}

interface PullRequestEvent {
  readonly action?: string;
  readonly pull_request?: { readonly id: number };
}

/** A request as GitHub sends it. */
export interface SignedDelivery {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What is sent: GitHub's 21 kB about a pull request, or Slack's 1 kB about a message. */
export type Sort = 'pull-request' | 'chat-message';

/** Endless deliveries, each of another happening with an id of its own, counted up from `from`. */
export function createDeliveries(sort: Sort, secret: string, from: number): () => SignedDelivery {
  return sort === 'pull-request' ? createPullRequests(secret, from) : createChatMessages(secret, from);
}

const FIRST_ID = 1_000_000_000;

/**
 * Endless deliveries of `pull_request.opened`, each of another pull request with a delivery id of its own: the
 * published example of 21 kB with `pull_request.id` counted up from 1,000,000,000 plus `from`. The id stands at the very end
 * of the body, so that signing one costs the generator a few microseconds instead of a walk through the whole.
 */
function createPullRequests(secret: string, from: number): () => SignedDelivery {
  const start = Buffer.from(JSON.stringify(withIdLast(publishedExample())).slice(0, -`${FIRST_ID}}}`.length));
  const sign = createSigner(secret, start);
  let id = FIRST_ID + from;
  return () => {
    const end = `${id++}}}`;
    return {
      headers: {
        'content-type': 'application/json',
        'user-agent': 'GitHub-Hookshot/bench',
        'x-github-delivery': randomUUID(),
        'x-github-event': 'pull_request',
        'x-hub-signature-256': `sha256=${sign(end)}`,
      },
      body: Buffer.concat([start, Buffer.from(end)]),
    };
  };
}

const TEXT =
  'The build of main is red since noon: two tests of the parser. Who has touched the lexer this week?';

/** Messages in a channel, in the form of https://docs.slack.dev/reference/events/message.channels. */
function createChatMessages(secret: string, from: number): () => SignedDelivery {
  let id = FIRST_ID + from;
  return () => {
    const body = Buffer.from(JSON.stringify(chatMessage(id++)));
    const timestamp = String(Math.floor(Date.now() / 1000));
    const signature = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest('hex');
    return {
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
        'x-slack-request-timestamp': timestamp,
        'x-slack-signature': `v0=${signature}`,
      },
      body,
    };
  };
}

function chatMessage(id: number): object {
  const ts = `1763700000.${id}`;
  const team = 'T0BENCH001';
  const line = { type: 'rich_text_section', elements: [{ type: 'text', text: TEXT }] };
  return {
    token: 'the verification token',
    team_id: team,
    context_team_id: team,
    api_app_id: 'A0BENCH001',
    event: {
      user: 'U0BENCH001',
      type: 'message',
      ts,
      client_msg_id: randomUUID(),
      text: TEXT,
      team,
      blocks: [{ type: 'rich_text', block_id: 'aB3', elements: [line] }],
      channel: 'C0BENCH001',
      event_ts: ts,
      channel_type: 'channel',
    },
    type: 'event_callback',
    event_id: `Ev${id}`,
    event_time: 1_763_700_000,
    authorizations: [
      {
        enterprise_id: null,
        team_id: team,
        user_id: 'U0BENCHBOT',
        is_bot: true,
        is_enterprise_install: false,
      },
    ],
    is_ext_shared_channel: false,
    event_context: '4-eyJldCI6Im1lc3NhZ2UifQ',
  };
}

/** From the package of GitHub's examples that the tests use too. */
function publishedExample(): PullRequestEvent {
  const events = createRequire(import.meta.url)('@octokit/webhooks-examples') as readonly PublishedEvent[];
  const example = events
    .find(({ name }) => name === 'pull_request')
    ?.examples.find(({ action }) => action === 'opened');
  if (!example) throw new Error('@octokit/webhooks-examples has no pull_request.opened any more.');
  return example;
}

/** With the id at the end, as the order of fields means nothing in JSON. */
function withIdLast({ pull_request, ...rest }: PullRequestEvent): object {
  const fields = Object.entries(pull_request ?? {}).filter(([name]) => name !== 'id');
  return { ...rest, pull_request: { ...Object.fromEntries(fields), id: FIRST_ID } };
}

const BLOCK_BYTES = 64;

/** HMAC-SHA256 (RFC 2104) in hex of texts that share a beginning, which is hashed only once. */
function createSigner(secret: string, start: Buffer): (end: string) => string {
  const key = Buffer.alloc(BLOCK_BYTES);
  key.write(secret);
  const inner = createHash('sha256')
    .update(key.map((byte) => byte ^ 0x36))
    .update(start);
  const outer = createHash('sha256').update(key.map((byte) => byte ^ 0x5c));
  return (end) => outer.copy().update(inner.copy().update(end).digest()).digest('hex');
}
