import type { FakeAnswer, FakeRequest } from './fake-provider.js';

// Shapes of GitLab's REST answers, as far as a client like ours could look. https://docs.gitlab.com/api

export interface Note {
  readonly id: number;
  readonly body: string;
  readonly createdAt: Date;
}

/** What issues and merge requests have in common. */
interface Item {
  readonly id: number;
  readonly iid: number;
  title: string;
  description: string | null;
  labels: readonly string[];
  readonly notes: Note[];
  readonly createdAt: Date;
  updatedAt: Date;
}

export interface Pipeline {
  readonly id: number;
  readonly ref: string;
  readonly tag: boolean;
  readonly createdAt: Date;
  updatedAt: Date;
  status: string;
  startedAt?: Date;
  finishedAt?: Date;
}

export interface Issue extends Item {
  closedAt?: Date;
  assigneeIds: readonly number[];
}

export interface MergeRequest extends Item {
  readonly sha: string;
  readonly isMergeable: boolean;
  merged?: { readonly sha: string; readonly at: Date };
}

export interface Status {
  readonly id: number;
  readonly sha: string;
  readonly name: string;
  status: string;
  description: string | null;
  targetUrl: string | null;
  readonly createdAt: Date;
  finishedAt: Date | null;
}

export const PROJECT = 'tanuki/demo';
const WEB = `https://gitlab.com/${PROJECT}`;

export const user = {
  id: 4711,
  username: 'ada',
  name: 'Ada',
  state: 'active',
  avatar_url: null,
  web_url: 'https://gitlab.com/ada',
};

export function toIssue(issue: Issue) {
  return {
    ...sharedBy(issue, `${WEB}/-/issues/${issue.iid}`, `${PROJECT}#${issue.iid}`),
    state: issue.closedAt ? 'closed' : 'opened',
    closed_at: issue.closedAt?.toISOString() ?? null,
    closed_by: issue.closedAt ? user : null,
    assignees: issue.assigneeIds.map((id) => ({ ...user, id })),
    type: 'ISSUE',
    issue_type: 'issue',
    confidential: false,
  };
}

export function toMergeRequest(item: MergeRequest) {
  return {
    ...sharedBy(item, `${WEB}/-/merge_requests/${item.iid}`, `${PROJECT}!${item.iid}`),
    state: item.merged ? 'merged' : 'opened',
    merged_at: item.merged?.at.toISOString() ?? null,
    merge_user: item.merged ? user : null,
    closed_at: null,
    source_branch: 'topic',
    target_branch: 'main',
    draft: false,
    sha: item.sha,
    merge_commit_sha: item.merged?.sha ?? null,
    squash_commit_sha: null,
    assignees: [],
    reviewers: [],
    detailed_merge_status: item.isMergeable ? 'mergeable' : 'conflict',
  };
}

function sharedBy(item: Item, url: string, reference: string) {
  return {
    id: item.id,
    iid: item.iid,
    project_id: 15,
    title: item.title,
    description: item.description,
    labels: item.labels,
    author: user,
    milestone: null,
    user_notes_count: item.notes.length,
    web_url: url,
    references: { short: reference.slice(PROJECT.length), relative: reference, full: reference },
    created_at: item.createdAt.toISOString(),
    updated_at: item.updatedAt.toISOString(),
  };
}

export function toNote({ id, body, createdAt }: Note, kind: 'Issue' | 'MergeRequest', item: Item) {
  return {
    id,
    type: null,
    body,
    attachment: null,
    author: user,
    created_at: createdAt.toISOString(),
    updated_at: createdAt.toISOString(),
    system: false,
    noteable_id: item.id,
    noteable_type: kind,
    noteable_iid: item.iid,
    internal: false,
  };
}

/** https://docs.gitlab.com/api/events/#list-all-visible-events-for-a-project */
export function toNoteEvent(note: Note, kind: 'Issue' | 'MergeRequest', item: Item) {
  return {
    id: note.id + 1_000_000,
    project_id: 15,
    action_name: 'commented on',
    target_id: note.id,
    target_iid: note.id,
    target_type: 'Note',
    target_title: item.title,
    author_id: user.id,
    author: user,
    author_username: user.username,
    created_at: note.createdAt.toISOString(),
    note: toNote(note, kind, item),
  };
}

export function toStatus({ createdAt, finishedAt, targetUrl, ...fields }: Status) {
  return {
    ...fields,
    ref: 'topic',
    target_url: targetUrl,
    created_at: createdAt.toISOString(),
    started_at: null,
    finished_at: finishedAt?.toISOString() ?? null,
    allow_failure: false,
    coverage: null,
    author: user,
  };
}

export function toPipeline({ id, ref, tag, startedAt, finishedAt, createdAt, updatedAt, status }: Pipeline) {
  return {
    id,
    iid: id,
    project_id: 15,
    sha: '0'.repeat(39).concat('1'),
    ref,
    status,
    source: 'api',
    name: null,
    web_url: `${WEB}/-/pipelines/${id}`,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
    before_sha: '0'.repeat(40),
    tag,
    yaml_errors: null,
    user,
    started_at: startedAt?.toISOString() ?? null,
    finished_at: finishedAt?.toISOString() ?? null,
    committed_at: null,
    duration: finishedAt ? 34 : null,
    queued_duration: 6,
    coverage: null,
  };
}

/** A list tells less of each. */
export function toListedPipeline(pipeline: Pipeline) {
  const { id, iid, project_id, sha, ref, status, source, name, web_url, created_at, updated_at } =
    toPipeline(pipeline);
  return { id, iid, project_id, sha, ref, status, source, name, web_url, created_at, updated_at };
}

const MESSAGES: Readonly<Record<number, string>> = {
  400: '400 Bad request',
  401: '401 Unauthorized',
  403: '403 Forbidden',
  404: '404 Not Found',
  405: '405 Method Not Allowed',
  409: 'SHA does not match HEAD of source branch: it was pushed to.',
  422: 'Branch cannot be merged',
  500: '500 Internal Server Error',
  503: '503 Service Unavailable',
};

/** An error as GitLab words it. */
export function gitlabError(
  status: number,
  message: string | object = MESSAGES[status] ?? 'Error',
): FakeAnswer {
  return { status, body: { message } };
}

/** One page of a list, by offset. https://docs.gitlab.com/api/rest/#offset-based-pagination */
export function page(items: readonly object[], { query }: FakeRequest): FakeAnswer {
  const size = Math.min(Number(query['per_page'] ?? 20), 100);
  const number = Number(query['page'] ?? 1);
  const hasNext = number * size < items.length;
  return {
    status: 200,
    headers: {
      'x-page': String(number),
      'x-per-page': String(size),
      'x-total': String(items.length),
      'x-next-page': hasNext ? String(number + 1) : '',
    },
    body: items.slice((number - 1) * size, number * size),
  };
}
