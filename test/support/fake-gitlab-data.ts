import type { Clock } from '../../src/core/clock.js';
import type { Issue, MergeRequest, Note, Pipeline, Status } from './fake-gitlab-answers.js';

/** The head of merge request 1, and the one commit that statuses can be set on. */
export const HEAD_SHA = '0123456789abcdef0123456789abcdef01234567';
/** What merging it makes. */
export const MERGE_SHA = 'fedcba9876543210fedcba9876543210fedcba98';

/** What is in the project `tanuki/demo`, oldest first. */
export interface TanukiDemo {
  readonly issues: readonly Issue[];
  readonly mergeRequests: readonly MergeRequest[];
  readonly statuses: readonly Status[];
  readonly pipelines: readonly Pipeline[];
  addIssue(fields: Partial<Issue>): Issue;
  addMergeRequest(fields: Partial<MergeRequest>): MergeRequest;
  addNote(item: Issue | MergeRequest, body: string): Note;
  close(issue: Issue): void;
  reopen(issue: Issue): void;
  merge(item: MergeRequest): void;
  /** One that waits is changed in place, as GitLab does it; else there is one more. */
  setStatus(fields: Pick<Status, 'sha' | 'name' | 'status' | 'description' | 'targetUrl'>): Status;
  addPipeline(fields: Partial<Pipeline>): Pipeline;
  /** It may end more than once, when it was retried. */
  end(pipeline: Pipeline, status: 'success' | 'failed' | 'canceled'): void;
  /** More than a page of everything, as other people make it. */
  crowd(): void;
}

/** Begins with issue 1, merge request 1 that can be merged, and merge request 2 that can't. */
export function createTanukiDemo(clock: Clock): TanukiDemo {
  const issues: Issue[] = [];
  const mergeRequests: MergeRequest[] = [];
  const statuses: Status[] = [];
  const pipelines: Pipeline[] = [];
  let lastId = 1000;
  const nextId = (): number => ++lastId;

  function born(iid: number) {
    const now = clock.now();
    const text = { title: `Number ${iid}`, description: null, labels: [] };
    return { ...text, id: nextId(), iid, notes: [], createdAt: now, updatedAt: now };
  }

  function addIssue(fields: Partial<Issue>): Issue {
    const issue: Issue = { ...born(issues.length + 1), assigneeIds: [], ...fields };
    issues.push(issue);
    return issue;
  }

  function addMergeRequest(fields: Partial<MergeRequest>): MergeRequest {
    const number = mergeRequests.length + 1;
    const item: MergeRequest = { ...born(number), sha: 'f'.repeat(40), isMergeable: true, ...fields };
    mergeRequests.push(item);
    return item;
  }

  function addNote(item: Issue | MergeRequest, body: string): Note {
    const note = { id: nextId(), body, createdAt: clock.now() };
    item.notes.push(note);
    item.updatedAt = clock.now();
    return note;
  }

  function setStatus(fields: Pick<Status, 'sha' | 'name' | 'status' | 'description' | 'targetUrl'>): Status {
    const finishedAt = fields.status === 'pending' ? null : clock.now();
    const waiting = statuses.findLast(({ name, status }) => name === fields.name && status === 'pending');
    if (waiting) return Object.assign(waiting, fields, { finishedAt });
    const status = { ...fields, id: nextId(), createdAt: clock.now(), finishedAt };
    statuses.push(status);
    return status;
  }

  function addPipeline(fields: Partial<Pipeline>): Pipeline {
    const now = clock.now();
    const made = { id: nextId(), ref: 'main', tag: false, createdAt: now, updatedAt: now, status: 'created' };
    const pipeline: Pipeline = { ...made, ...fields };
    pipelines.push(pipeline);
    return pipeline;
  }

  function end(pipeline: Pipeline, status: string): void {
    const now = clock.now();
    Object.assign(pipeline, { status, finishedAt: now, updatedAt: now });
    pipeline.startedAt ??= now;
  }

  addIssue({ title: 'Found a bug' });
  addMergeRequest({ title: 'Mend the bug', sha: HEAD_SHA });
  addMergeRequest({ title: 'Stuck', isMergeable: false });

  function crowd(): void {
    const [issue, item] = [issues[0]!, mergeRequests[0]!];
    for (let made = 0; made < 120; made++) {
      addIssue({ description: 'By someone else.' });
      addNote(issue, 'Me too.');
      addNote(item, 'Looks good.');
      const name = `check ${made}`;
      setStatus({ sha: HEAD_SHA, name, status: 'success', description: null, targetUrl: null });
    }
  }

  return {
    issues,
    mergeRequests,
    statuses,
    addIssue,
    addMergeRequest,
    addNote,
    close: (issue) => void (issue.closedAt = issue.updatedAt = clock.now()),
    reopen(issue) {
      delete issue.closedAt;
      issue.updatedAt = clock.now();
    },
    merge(item) {
      item.merged = { sha: MERGE_SHA, at: clock.now() };
      item.updatedAt = clock.now();
    },
    setStatus,
    pipelines,
    addPipeline,
    end,
    crowd,
  };
}
