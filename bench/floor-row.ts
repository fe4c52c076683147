import { createCipheriv, createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { constants, zstdCompressSync } from 'node:zlib';
import { v7 as uuidV7 } from 'uuid';

/** What both rows of a delivery are made of; see floor-journal.ts for the columns. */
export interface FloorRow {
  readonly id: string;
  readonly signalId: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly receivedAt: string;
  readonly occurredAt: string;
  readonly repository: string;
  /** Compressed and sealed. */
  readonly body: Buffer;
  /** JSON. */
  readonly content: string;
}

interface PullRequestEvent {
  readonly action: string;
  readonly number: number;
  readonly repository: { readonly full_name: string };
  readonly sender: { readonly id: number; readonly login: string };
  // oxlint-disable-next-line typescript/no-explicit-any -- as one would write it for this one event, without checks
  readonly pull_request: any;
}

/** Parsed once, read by hand for this one event, stored in the form and with the content that Tributary stores. */
export function toFloorRow(headers: IncomingHttpHeaders, body: Buffer): FloorRow {
  const event = JSON.parse(body.toString()) as PullRequestEvent;
  const eventId = String(headers['x-github-delivery']);
  const eventType = `${String(headers['x-github-event'])}.${event.action}`;
  const id = uuidV7();
  return {
    id,
    signalId: randomUUID(),
    eventId,
    eventType,
    receivedAt: new Date().toISOString(),
    occurredAt: event.pull_request.created_at,
    repository: event.repository.full_name,
    body: seal(zstdCompressSync(body, { ...COMPRESSION, pledgedSrcSize: body.length }), id),
    content: JSON.stringify(contentOf(event, eventId, eventType)),
  };
}

const COMPRESSION = { params: { [constants.ZSTD_c_compressionLevel]: 1 }, chunkSize: 8 * 1024 };
const KEY = createSecretKey(randomBytes(32));
const FORMAT = Buffer.of(1);

function seal(plain: Buffer, id: string): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', KEY, nonce).setAAD(Buffer.from(id));
  return Buffer.concat([FORMAT, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function contentOf(event: PullRequestEvent, eventId: string, eventType: string): object {
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
