import {
  createCipheriv,
  createHmac,
  createSecretKey,
  randomBytes,
  randomUUID,
  timingSafeEqual,
} from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { constants, zstdCompressSync } from 'node:zlib';
import { v7 as uuidV7 } from 'uuid';
import type { Sort } from './delivery.js';

/** What both rows of a delivery are made of; see floor-journal.ts for the columns. */
export interface FloorRow {
  readonly id: string;
  readonly signalId: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly signalType: string;
  readonly providerId: string;
  readonly receivedAt: string;
  readonly occurredAt: string;
  readonly repository: string | null;
  /** Compressed and sealed. */
  readonly body: Buffer;
  /** JSON. */
  readonly content: string;
}

/** How one event is read by hand: without checks, and no other. */
export interface FloorReader {
  isSigned(headers: IncomingHttpHeaders, body: Buffer, secret: string): boolean;
  toRow(headers: IncomingHttpHeaders, body: Buffer): FloorRow;
}

interface PullRequestEvent {
  readonly action: string;
  readonly number: number;
  readonly repository: { readonly full_name: string };
  readonly sender: { readonly id: number; readonly login: string };
  // oxlint-disable-next-line typescript/no-explicit-any -- as one would write it for this one event, without checks
  readonly pull_request: any;
}

/** By what is sent. Parsed once, stored in the form and with the content that Tributary stores. */
export const readers: Readonly<Record<Sort, FloorReader>> = {
  'pull-request': {
    isSigned: (headers, body, secret) => isHmac('sha256=', headers['x-hub-signature-256'], secret, [body]),
    toRow: toPullRequestRow,
  },
  'chat-message': {
    isSigned: (headers, body, secret) =>
      isHmac('v0=', headers['x-slack-signature'], secret, [
        `v0:${String(headers['x-slack-request-timestamp'])}:`,
        body,
      ]),
    toRow: toChatMessageRow,
  },
};

function isHmac(
  prefix: string,
  given: string | string[] | undefined,
  secret: string,
  parts: readonly (string | Buffer)[],
): boolean {
  const hmac = createHmac('sha256', secret);
  for (const part of parts) hmac.update(part);
  const expected = Buffer.from(prefix + hmac.digest('hex'));
  const signature = Buffer.from(String(given));
  return signature.length === expected.length && timingSafeEqual(signature, expected);
}

function toPullRequestRow(headers: IncomingHttpHeaders, body: Buffer): FloorRow {
  const event = JSON.parse(body.toString()) as PullRequestEvent;
  const eventId = String(headers['x-github-delivery']);
  const eventType = `${String(headers['x-github-event'])}.${event.action}`;
  const id = uuidV7();
  return {
    id,
    signalId: randomUUID(),
    eventId,
    eventType,
    signalType: 'pr_opened',
    providerId: 'github',
    receivedAt: new Date().toISOString(),
    occurredAt: event.pull_request.created_at,
    repository: event.repository.full_name,
    body: stored(body, id),
    content: JSON.stringify(pullRequestContent(event, eventId, eventType)),
  };
}

interface ChatMessageEvent {
  readonly event_id: string;
  readonly team_id: string;
  readonly event: {
    readonly type: string;
    readonly user: string;
    readonly ts: string;
    readonly text: string;
    readonly channel: string;
    readonly channel_type: string;
  };
}

function toChatMessageRow(_headers: IncomingHttpHeaders, body: Buffer): FloorRow {
  const message = JSON.parse(body.toString()) as ChatMessageEvent;
  const id = uuidV7();
  return {
    id,
    signalId: randomUUID(),
    eventId: message.event_id,
    eventType: message.event.type,
    signalType: 'chat_message',
    providerId: 'slack',
    receivedAt: new Date().toISOString(),
    occurredAt: new Date(Number(message.event.ts) * 1000).toISOString(),
    repository: null,
    body: stored(body, id),
    content: JSON.stringify(chatMessageContent(message)),
  };
}

const COMPRESSION = { params: { [constants.ZSTD_c_compressionLevel]: 1 }, chunkSize: 8 * 1024 };
const KEY = createSecretKey(randomBytes(32));
const FORMAT = Buffer.of(1);

/** Compressed, then sealed. */
function stored(body: Buffer, id: string): Buffer {
  return seal(zstdCompressSync(body, { ...COMPRESSION, pledgedSrcSize: body.length }), id);
}

function seal(plain: Buffer, id: string): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', KEY, nonce).setAAD(Buffer.from(id));
  return Buffer.concat([FORMAT, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function pullRequestContent(event: PullRequestEvent, eventId: string, eventType: string): object {
  const { action, number, repository, sender, pull_request: pull } = event;
  const userId = String(sender.id);
  return {
    resource: {
      repository: repository.full_name,
      branch: pull.head.ref,
      pr_id: String(number),
      commit: pull.head.sha,
    },
    payload: {
      action,
      actor: { id: userId, login: sender.login },
      title: pull.title,
      number,
      state: pull.state,
      draft: pull.draft,
      merged: pull.merged,
      body: pull.body,
      author: { id: String(pull.user.id), login: pull.user.login },
      labels: pull.labels,
      assignees: pull.assignees,
      requested_reviewers: pull.requested_reviewers,
      head_branch: pull.head.ref,
      base_branch: pull.base.ref,
      commit_count: pull.commits,
      additions: pull.additions,
      deletions: pull.deletions,
      changed_files: pull.changed_files,
      provider_metadata: {
        provider_id: 'github',
        connection_id: '018f0000-0000-7000-8000-000000000000',
        event_type: eventType,
        delivery_id: eventId,
      },
      canonical_keys: { user_id: userId },
    },
    evidence: [{ type: 'pull_request', url: pull.html_url, title: pull.title }],
    correlation_hints: [
      { type: 'resource_id', value: `${repository.full_name}#${number}`, confidence: 1 },
      { type: 'resource_id', value: pull.head.sha, confidence: 1 },
      { type: 'metadata', value: pull.head.ref, confidence: 0.5 },
    ],
  };
}

function chatMessageContent({ event_id, team_id, event }: ChatMessageEvent): object {
  const { user, ts, text, channel, channel_type } = event;
  return {
    resource: {},
    payload: {
      actor: { id: user },
      channel_type,
      title: text,
      body: text,
      message_id: ts,
      author: { id: user },
      provider_metadata: {
        provider_id: 'slack',
        connection_id: '018f0000-0000-7000-8000-000000000000',
        event_type: event.type,
        delivery_id: event_id,
      },
      canonical_keys: { channel_id: channel, user_id: user, team_id, message_id: ts },
    },
    evidence: [],
    correlation_hints: [{ type: 'resource_id', value: `${channel}:${ts}`, confidence: 1 }],
  };
}
