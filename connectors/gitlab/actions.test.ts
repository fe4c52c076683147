import { describe, expect, it } from 'vitest';
import {
  type ActionContext,
  type ProviderRequest,
  type ProviderResponse,
  verbSchemas,
} from '../../src/connector/index.js';
import { requireValid } from '../../src/core/schema.js';
import { triggerBuild } from './actions/builds.js';
import { setCommitStatus } from './actions/commit-status.js';
import { createIssue, updateIssue } from './actions/issues.js';
import { mergePullRequest } from './actions/merge.js';
import { addIssueComment, commentOnPullRequest } from './actions/notes.js';

const MARKER = '<!-- tributary:act_1 -->';
const SHA = '9b2e4f6a8c0d1e3f5a7b9c1d2e4f6a8b0c2d4e6f';
const PROJECT = 'acme/tools/shop';

/** GitLab as a script: the answers in their order, and what was asked. */
function scripted(...steps: readonly Partial<ProviderResponse>[]) {
  const requests: ProviderRequest[] = [];
  const request = async (asked: ProviderRequest): Promise<ProviderResponse> => {
    const step = steps[requests.length];
    requests.push(asked);
    if (!step) throw new Error('the script is over');
    return { status: 200, headers: {}, body: undefined, ...step };
  };
  const startedAt = new Date('2026-11-21T12:00:00.750Z');
  const context: ActionContext = { settings: {}, actionId: 'act_1', marker: MARKER, startedAt, request };
  return { context, requests };
}

const refused = (code: string) => ({ details: { category: 'INVALID', code } });
const unexpected = { details: { category: 'PROVIDER', code: 'unexpected_answer', isAmbiguous: true } };

const url = 'https://gitlab.com/acme/tools/shop/-/issues/7';
const issue = { id: 701, iid: 7, web_url: url };
const issueOutcome = { externalId: '701', url, output: { number: 7, url } };

describe('createIssue', () => {
  it('puts the marker below the text, and people by number', async () => {
    const { context, requests } = scripted({ body: [{ id: 42 }] }, { status: 201, body: issue });
    const outcome = await createIssue.execute(context, {
      project: PROJECT,
      title: 'Off by a cent',
      body: 'Since Monday.',
      labels: ['a, b'],
      assignees: ['ada', '17'],
      issueType: 'Incident',
    });
    expect(outcome).toEqual(issueOutcome);
    expect(requests).toEqual([
      { method: 'GET', path: '/users', query: { username: 'ada' } },
      {
        method: 'POST',
        path: '/projects/{id}/issues',
        params: { id: PROJECT },
        body: {
          title: 'Off by a cent',
          description: `Since Monday.\n\n${MARKER}`,
          labels: ['a, b'],
          assignee_ids: [42, 17],
          issue_type: 'incident',
        },
      },
    ]);
  });

  it.each([[[]], [{}], ['<html>'], [[{ id: 1 }, { id: 2 }]], [[{ id: 'x' }]]])(
    'does not guess who somebody is from %j',
    async (body) => {
      const { context, requests } = scripted({ body });
      const input = { project: PROJECT, title: 'x', assignees: ['nobody'] };
      await expect(createIssue.execute(context, input)).rejects.toMatchObject(refused('unknown_user'));
      expect(requests).toHaveLength(1);
    },
  );

  it.each(['shop', '', '/shop', 'acme/', 'acme//shop', 'acme/shop#7', 'acme/sh op', 'https://x/y'])(
    'asks nothing of a project called %j',
    async (project) => {
      const { context, requests } = scripted();
      const attempt = createIssue.execute(context, { project, title: 'x' });
      await expect(attempt).rejects.toMatchObject(refused('invalid_repository'));
      expect(requests).toEqual([]);
    },
  );

  it('is found behind full pages, in order of creation', async () => {
    const ours = { ...issue, description: `Since Monday.\n\n${MARKER}` };
    const { context, requests } = scripted(
      { body: [{ ...issue, description: null }], headers: { 'x-next-page': '2' } },
      { body: [ours] },
    );
    expect(await createIssue.reconcile?.(context, { project: PROJECT, title: 'x' })).toEqual(issueOutcome);
    expect(requests.map(({ query }) => query)).toMatchObject([
      { page: '1', state: 'all', scope: 'all', order_by: 'created_at', sort: 'asc' },
      { page: '2', created_after: '2026-11-21T11:55:00.750Z' },
    ]);
  });

  it('does not say that it is not there after ten pages', async () => {
    const full = { body: [{}], headers: { 'x-next-page': '2' } };
    const { context } = scripted(...Array.from({ length: 10 }, () => full));
    const attempt = createIssue.reconcile?.(context, { project: PROJECT, title: 'x' });
    await expect(attempt).rejects.toMatchObject({ details: { code: 'search_limit' } });
  });
});

describe('updateIssue', () => {
  const input = { issue: `${PROJECT}#7` };

  it('sends what was given, and nothing else', async () => {
    const { context, requests } = scripted({ body: issue });
    await updateIssue.execute(context, { ...input, labels: [], status: 'Closed' });
    expect(requests).toEqual([
      {
        method: 'PUT',
        path: '/projects/{id}/issues/{iid}',
        params: { id: PROJECT, iid: 7 },
        body: { labels: [], state_event: 'close' },
      },
    ]);
  });

  it.each([
    ['opened', 'reopen'],
    ['open', 'reopen'],
    ['REOPENED', 'reopen'],
    ['closed', 'close'],
  ])('makes an issue %s by %s', async (status, event) => {
    const { context, requests } = scripted({ body: issue });
    await updateIssue.execute(context, { ...input, status });
    expect(requests[0]?.body).toEqual({ state_event: event });
  });

  it.each(['done', 'constructor', ''])('knows no status %j', async (status) => {
    const { context, requests } = scripted();
    const attempt = updateIssue.execute(context, { ...input, status });
    await expect(attempt).rejects.toMatchObject(refused('invalid_status'));
    expect(requests).toEqual([]);
  });

  it('has to change something', () => {
    const check = (given: object) => requireValid(verbSchemas.updateIssue, given, 'input');
    expect(() => check({ issue: '7' })).toThrow('input.title');
    expect(() => check({ issue: '7', labels: [] })).not.toThrow();
  });
});

describe('comments', () => {
  it('go where they belong', async () => {
    const { context, requests } = scripted({ body: { id: 5 } }, { body: { id: 6 } });
    await addIssueComment.execute(context, { project: PROJECT, issue: '#7', body: 'Hm.' });
    await commentOnPullRequest.execute(context, { repository: PROJECT, number: 3, body: 'Hm.' });
    expect(requests.map(({ path, params }) => [path, params])).toEqual([
      ['/projects/{id}/issues/{iid}/notes', { id: PROJECT, iid: 7 }],
      ['/projects/{id}/merge_requests/{iid}/notes', { id: PROJECT, iid: 3 }],
    ]);
    expect(requests[0]?.body).toEqual({ body: `Hm.\n\n${MARKER}` });
  });

  it.each(['', 'x', '0', '7a', '#'])('are not made on an issue called %j', async (name) => {
    const { context, requests } = scripted();
    const attempt = addIssueComment.execute(context, { project: PROJECT, issue: name, body: 'x' });
    await expect(attempt).rejects.toMatchObject(refused('invalid_issue'));
    expect(requests).toEqual([]);
  });

  it('are looked for no further back than the action goes', async () => {
    const old = { id: 1, body: 'Before.', created_at: '2026-11-21T11:00:00Z' };
    const { context, requests } = scripted({ body: [old], headers: { 'x-next-page': '2' } });
    const found = await addIssueComment.reconcile?.(context, { project: PROJECT, issue: '7', body: 'x' });
    expect([found, requests.length]).toEqual([null, 1]);
  });
});

describe('mergePullRequest', () => {
  const input = { repository: PROJECT, number: 3 };
  const merged = { state: 'merged', sha: SHA, merge_commit_sha: 'c4d6', web_url: 'https://gitlab.com/m/3' };
  const outcome = { externalId: 'c4d6', url: merged.web_url, output: { sha: 'c4d6', merged: true } };

  it.each([
    [{}, {}],
    [
      { method: 'MERGE', title: 'T' },
      { squash: false, merge_commit_message: 'T' },
    ],
    [
      { method: 'SQUASH', title: 'T' },
      { squash: true, squash_commit_message: 'T' },
    ],
    [{ expectedHeadSha: SHA }, { sha: SHA }],
  ] as const)('asked for %j sends %j', async (asked, body) => {
    const { context, requests } = scripted({ body: merged });
    expect(await mergePullRequest.execute(context, { ...input, ...asked })).toEqual(outcome);
    expect(requests[0]).toMatchObject({ method: 'PUT', body });
  });

  it('can’t be told to rebase', async () => {
    const { context, requests } = scripted();
    const attempt = mergePullRequest.execute(context, { ...input, method: 'REBASE' });
    await expect(attempt).rejects.toMatchObject(refused('unsupported_method'));
    expect(requests).toEqual([]);
  });

  it('is told by the head where there is no commit of the merge', async () => {
    const { context } = scripted({ body: { ...merged, merge_commit_sha: null } });
    expect((await mergePullRequest.execute(context, input)).externalId).toBe(SHA);
  });

  it('that is not done yet is not called done', async () => {
    const { context } = scripted({ body: { ...merged, state: 'opened' } });
    await expect(mergePullRequest.execute(context, input)).rejects.toMatchObject(unexpected);
  });

  it.each([
    ['merged', merged, undefined, outcome],
    ['merged at the expected head', merged, SHA, outcome],
    ['merged by someone else at another head', merged, 'f'.repeat(40), null],
    ['open', { ...merged, state: 'opened' }, SHA, null],
  ])('reconciles one that is %s', async (_, body, expectedHeadSha, expected) => {
    const { context } = scripted({ body });
    const full = { ...input, ...(expectedHeadSha && { expectedHeadSha }) };
    expect(await mergePullRequest.reconcile?.(context, full)).toEqual(expected);
  });
});

describe('setCommitStatus', () => {
  const input = { repository: PROJECT, sha: SHA, context: 'ci', state: 'ERROR' } as const;
  const status = { id: 9, name: 'ci', status: 'failed', description: null, target_url: null };

  it('shows an error as failed', async () => {
    const { context, requests } = scripted({ status: 201, body: status });
    const outcome = await setCommitStatus.execute(context, input);
    expect(outcome).toEqual({ externalId: '9', output: { context: 'ci', state: 'ERROR' } });
    expect(requests[0]?.body).toEqual({ state: 'failed', name: 'ci' });
  });

  const since = (times: object) => [{ ...status, ...times }];
  const old = '2026-11-21T11:59:00.000Z';
  const fresh = '2026-11-21T12:00:00.000Z';
  it.each([
    ['made since', since({ created_at: fresh }), '9'],
    ['that waited before and ended since', since({ created_at: old, finished_at: fresh }), '9'],
    ['of before', since({ created_at: old, finished_at: old }), undefined],
    ['of another name', since({ name: 'other', created_at: fresh }), undefined],
  ])('finds a status %s', async (_, body, externalId) => {
    const found = await setCommitStatus.reconcile?.(scripted({ body }).context, input);
    expect(found?.externalId).toBe(externalId);
  });

  it('does not undo what somebody said since', async () => {
    const { context } = scripted({ body: since({ created_at: fresh, status: 'success' }) });
    const attempt = setCommitStatus.reconcile?.(context, input);
    await expect(attempt).rejects.toMatchObject({ details: { category: 'UNKNOWN', code: 'superseded' } });
  });
});

describe('triggerBuild', () => {
  it('turns parameters into variables', async () => {
    const pipeline = { id: 61, web_url: 'https://gitlab.com/p/61' };
    const { context, requests } = scripted({ status: 201, body: pipeline });
    const input = { repository: PROJECT, ref: 'main', parameters: { A: '1', B: '2' } };
    expect((await triggerBuild.execute(context, input)).externalId).toBe('61');
    const variables = [
      { key: 'A', value: '1' },
      { key: 'B', value: '2' },
    ];
    expect(requests[0]?.body).toEqual({ ref: 'main', variables });
  });

  it('has one workflow only', async () => {
    const { context, requests } = scripted();
    const attempt = triggerBuild.execute(context, { repository: PROJECT, ref: 'main', workflow: 'ci.yml' });
    await expect(attempt).rejects.toMatchObject(refused('unsupported_workflow'));
    expect(requests).toEqual([]);
  });
});
