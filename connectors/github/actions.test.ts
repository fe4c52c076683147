import { describe, expect, it } from 'vitest';
import {
  type ActionContext,
  ProviderFailure,
  type ProviderRequest,
  type ProviderResponse,
} from '../../src/connector/index.js';
import { addIssueComment, commentOnPullRequest } from './actions/comments.js';
import { setCommitStatus } from './actions/commit-status.js';
import { createIssue } from './actions/issues.js';
import { mergePullRequest } from './actions/merge.js';

const MARKER = '<!-- tributary:act_1 -->';
const SHA = '9b2e4f6a8c0d1e3f5a7b9c1d2e4f6a8b0c2d4e6f';

type Step = Partial<ProviderResponse> | Error;

/** GitHub as a script: the answers in their order, and what was asked. */
function scripted(...steps: readonly Step[]): { context: ActionContext; requests: ProviderRequest[] } {
  const requests: ProviderRequest[] = [];
  const request = async (asked: ProviderRequest): Promise<ProviderResponse> => {
    const step = steps[requests.length];
    requests.push(asked);
    if (!step) throw new Error('the script is over');
    if (step instanceof Error) throw step;
    return { status: 200, headers: {}, body: undefined, ...step };
  };
  const startedAt = new Date('2026-11-21T12:00:00.750Z');
  return { context: { settings: {}, actionId: 'act_1', marker: MARKER, startedAt, request }, requests };
}

const next = (page: number) => ({
  link:
    `<https://api.github.com/repositories/900100/issues?since=x&page=${page - 1}>; rel="prev", ` +
    `<https://api.github.com/repositories/900100/issues?per_page=100&page=${page}>; rel="next"`,
});

const issue = { id: 1800041, number: 41, html_url: 'https://github.com/acme/shop/issues/41' };
const issueOutcome = {
  externalId: '1800041',
  url: issue.html_url,
  output: { number: 41, url: issue.html_url },
};
const created = { id: 5511, html_url: 'https://github.com/acme/shop/pull/42#issuecomment-5511' };
const commentOutcome = { externalId: '5511', url: created.html_url, output: { url: created.html_url } };

const unexpected = { details: { category: 'PROVIDER', code: 'unexpected_answer', isAmbiguous: true } };
const useless = [{}, [], null, '', '<html>', { id: 7 }, undefined];

describe('createIssue', () => {
  const input = { project: 'acme/shop', title: 'Off by a cent' };

  it('puts the marker below the text and sends what was given', async () => {
    const { context, requests } = scripted({ status: 201, body: issue });
    const full = {
      ...input,
      body: 'Since Monday.',
      labels: ['bug'],
      assignees: ['lin-wu'],
      issueType: 'Bug',
    };
    expect(await createIssue.execute(context, full)).toEqual(issueOutcome);
    expect(requests).toEqual([
      {
        method: 'POST',
        path: '/repos/{owner}/{repo}/issues',
        params: { owner: 'acme', repo: 'shop' },
        body: {
          title: 'Off by a cent',
          body: `Since Monday.\n\n${MARKER}`,
          labels: ['bug'],
          assignees: ['lin-wu'],
          type: 'Bug',
        },
      },
    ]);
  });

  it('needs no text', async () => {
    const { context, requests } = scripted({ status: 201, body: issue });
    await createIssue.execute(context, input);
    expect(requests[0]?.body).toEqual({ title: 'Off by a cent', body: MARKER });
  });

  it.each(useless)('takes %j for an answer that tells nothing', async (body) => {
    await expect(createIssue.execute(scripted({ body }).context, input)).rejects.toMatchObject(unexpected);
  });

  it('is found again among what changed since shortly before it began', async () => {
    const others = [{ id: 1, body: null }, { id: 2, body: 'Mine' }, 'strange'];
    const ours = { ...issue, body: `Since Monday.\n\n${MARKER}` };
    const quoting = { ...issue, id: 9, body: `> ${MARKER}` };
    const { context, requests } = scripted({ body: [...others, ours, quoting], headers: next(2) });
    expect(await createIssue.reconcile?.(context, input)).toEqual(issueOutcome);
    expect(requests.map(({ query }) => query)).toEqual([
      { state: 'all', sort: 'created', direction: 'asc', since: '2026-11-21T11:55:00Z', per_page: 100 },
    ]);
  });

  it('is looked for on every page, by the query of the Link header alone', async () => {
    const ours = { ...issue, body: MARKER };
    const { context, requests } = scripted({ body: [], headers: next(2) }, { body: [ours] });
    expect(await createIssue.reconcile?.(context, input)).toEqual(issueOutcome);
    expect(requests[1]?.path).toBe('/repos/{owner}/{repo}/issues');
    expect(requests[1]?.query).toMatchObject({ page: '2', state: 'all', since: '2026-11-21T11:55:00Z' });
  });

  it('is certainly not there when the last page has been read', async () => {
    const last = { link: '<https://api.github.com/x?page=1>; rel="first"' };
    const { context } = scripted({ body: [], headers: next(2) }, { body: [], headers: last });
    expect(await createIssue.reconcile?.(context, input)).toBeNull();
  });

  it('is unknown when there is no end to the pages', async () => {
    const pages = Array.from({ length: 20 }, (_, page) => ({ body: [], headers: next(page + 2) }));
    const { context, requests } = scripted(...pages);
    const details = { category: 'UNKNOWN', code: 'search_limit' };
    await expect(createIssue.reconcile?.(context, input)).rejects.toMatchObject({ details });
    expect(requests).toHaveLength(10);
  });

  it('is unknown when the search fails or answers something else', async () => {
    const lost = new ProviderFailure({ category: 'NETWORK', code: 'timeout', message: 'No answer.' });
    await expect(createIssue.reconcile?.(scripted(lost).context, input)).rejects.toBe(lost);
    for (const body of [{}, '<html>', undefined, [{ body: MARKER }]]) {
      const details = { code: 'unexpected_answer' };
      await expect(createIssue.reconcile?.(scripted({ body }).context, input)).rejects.toMatchObject({
        details,
      });
    }
  });

  it.each(['shop', 'acme/', '/shop', 'acme/shop/x', 'acme/..', '../shop', 'ac me/shop', 'acme/shop?x', ''])(
    'refuses the repository %j before asking',
    async (project) => {
      const { context, requests } = scripted();
      const details = { category: 'INVALID', code: 'invalid_repository' };
      await expect(createIssue.execute(context, { ...input, project })).rejects.toMatchObject({ details });
      expect(requests).toEqual([]);
    },
  );
});

describe('addIssueComment', () => {
  const comments = '/repos/{owner}/{repo}/issues/{number}/comments';

  it.each([
    { issue: '7', project: 'acme/shop' },
    { issue: '#7', project: 'acme/shop' },
    { issue: 'acme/shop#7' },
    { issue: 'acme/shop#7', project: 'acme/other' },
  ])('finds the issue of %j', async (target) => {
    const { context, requests } = scripted({ status: 201, body: created });
    expect(await addIssueComment.execute(context, { ...target, body: 'Fixed.' })).toEqual(commentOutcome);
    expect(requests).toEqual([
      {
        method: 'POST',
        path: comments,
        params: { owner: 'acme', repo: 'shop', number: 7 },
        body: { body: `Fixed.\n\n${MARKER}` },
      },
    ]);
  });

  it.each([
    [{ issue: 'SHOP-7', project: 'acme/shop' }, 'invalid_issue'],
    [{ issue: '0', project: 'acme/shop' }, 'invalid_issue'],
    [{ issue: '7' }, 'invalid_repository'],
    [{ issue: '7', project: 'shop' }, 'invalid_repository'],
  ])('refuses %j as %s', async (target, code) => {
    const { context, requests } = scripted();
    const attempt = addIssueComment.execute(context, { ...target, body: 'Fixed.' });
    await expect(attempt).rejects.toMatchObject({ details: { category: 'INVALID', code } });
    expect(requests).toEqual([]);
  });

  it('is found again in the conversation', async () => {
    const { context, requests } = scripted({ body: [{ ...created, body: MARKER }] });
    const target = { issue: '7', project: 'acme/shop', body: 'Fixed.' };
    expect(await addIssueComment.reconcile?.(context, target)).toEqual(commentOutcome);
    expect(requests[0]).toMatchObject({
      path: comments,
      params: { number: 7 },
      query: { since: '2026-11-21T11:55:00Z', per_page: 100 },
    });
  });
});

describe('commentOnPullRequest', () => {
  const input = { repository: 'acme/shop', number: 42, body: 'Looks good.' };

  it('comments in the conversation and finds it again', async () => {
    const { context, requests } = scripted(
      { body: created },
      { body: [{ ...created, body: MARKER }] },
      { body: [] },
    );
    expect(await commentOnPullRequest.execute(context, input)).toEqual(commentOutcome);
    expect(await commentOnPullRequest.reconcile?.(context, input)).toEqual(commentOutcome);
    expect(await commentOnPullRequest.reconcile?.(context, input)).toBeNull();
    expect(requests.map(({ params }) => params?.['number'])).toEqual([42, 42, 42]);
  });

  it.each(useless)('takes %j for an answer that tells nothing', async (body) => {
    const attempt = commentOnPullRequest.execute(scripted({ body }).context, input);
    await expect(attempt).rejects.toMatchObject(unexpected);
  });
});

describe('setCommitStatus', () => {
  const input = { repository: 'acme/shop', sha: SHA, context: 'ci/door', state: 'SUCCESS' } as const;
  const url = `https://api.github.com/repos/acme/shop/statuses/${SHA}`;

  it('speaks GitHub’s words and answers in ours', async () => {
    const { context, requests } = scripted({ status: 201, body: { id: 68, url, state: 'success' } });
    const more = { description: 'Closed', targetUrl: 'https://ci.acme.example/9' };
    expect(await setCommitStatus.execute(context, { ...input, ...more })).toEqual({
      externalId: '68',
      url,
      output: { context: 'ci/door', state: 'SUCCESS' },
    });
    expect(requests[0]).toEqual({
      method: 'POST',
      path: '/repos/{owner}/{repo}/statuses/{sha}',
      params: { owner: 'acme', repo: 'shop', sha: SHA },
      body: {
        state: 'success',
        context: 'ci/door',
        description: 'Closed',
        target_url: 'https://ci.acme.example/9',
      },
    });
  });

  it.each(useless)('takes %j for an answer that tells nothing', async (body) => {
    await expect(setCommitStatus.execute(scripted({ body }).context, input)).rejects.toMatchObject(
      unexpected,
    );
  });
});

describe('mergePullRequest', () => {
  const input = { repository: 'acme/shop', number: 42 };
  const merged = { externalId: 'c4d6', output: { sha: 'c4d6', merged: true } };
  const pull = { merged: true, merge_commit_sha: 'c4d6', head: { sha: SHA } };

  it('guards the merge with the head that was seen', async () => {
    const { context, requests } = scripted({ body: { sha: 'c4d6', merged: true, message: 'Merged' } });
    const full = { ...input, method: 'SQUASH', title: 'Round prices (#42)', expectedHeadSha: SHA } as const;
    expect(await mergePullRequest.execute(context, full)).toEqual(merged);
    expect(requests[0]).toEqual({
      method: 'PUT',
      path: '/repos/{owner}/{repo}/pulls/{number}/merge',
      params: { owner: 'acme', repo: 'shop', number: 42 },
      body: { merge_method: 'squash', commit_title: 'Round prices (#42)', sha: SHA },
    });
  });

  it.each([...useless, { sha: 'c4d6', merged: false }])(
    'takes %j for an answer that tells nothing',
    async (body) => {
      await expect(mergePullRequest.execute(scripted({ body }).context, input)).rejects.toMatchObject(
        unexpected,
      );
    },
  );

  it.each([
    ['merged', pull, undefined, merged],
    ['merged at the expected head', pull, SHA, merged],
    ['merged by someone else at another head', pull, 'f'.repeat(40), null],
    ['open', { merged: false, merge_commit_sha: 'test-merge', head: { sha: SHA } }, SHA, null],
  ])('reconciles one that is %s', async (_, body, expectedHeadSha, outcome) => {
    const { context } = scripted({ body });
    const full = { ...input, ...(expectedHeadSha && { expectedHeadSha }) };
    expect(await mergePullRequest.reconcile?.(context, full)).toEqual(outcome);
  });

  it('does not guess from an answer without `merged`', async () => {
    for (const body of [{}, '<html>', { merged: true }]) {
      const attempt = mergePullRequest.reconcile?.(scripted({ body }).context, input);
      await expect(attempt).rejects.toMatchObject({ details: { code: 'unexpected_answer' } });
    }
  });
});
