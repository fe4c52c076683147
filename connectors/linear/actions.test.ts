import { describe, expect, it } from 'vitest';
import {
  type ActionContext,
  ProviderFailure,
  type ProviderRequest,
  type ProviderResponse,
} from '../../src/connector/index.js';
import { addIssueComment } from './actions/comments.js';
import { createIssue } from './actions/create-issue.js';
import { ownId } from './actions/own-id.js';
import { updateIssue } from './actions/update-issue.js';

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const PERSON = '0f0e0d0c-0000-4000-8000-000000000002';

type Step = object | ProviderFailure;

/** Linear as a script: the `data` of its answers in their order, and what was asked. */
function scripted(...steps: readonly Step[]) {
  const requests: ProviderRequest[] = [];
  const request = async (asked: ProviderRequest): Promise<ProviderResponse> => {
    const step = steps[requests.length];
    requests.push(asked);
    if (!step) throw new Error('the script is over');
    if (step instanceof ProviderFailure) throw step;
    return { status: 200, headers: {}, body: { data: step } };
  };
  const startedAt = new Date('2026-11-21T12:00:00.750Z');
  const context: ActionContext = {
    settings: {},
    actionId: 'act_1',
    marker: '<!-- x -->',
    startedAt,
    request,
  };
  const inputs = () => requests.map(({ body }) => (body as { variables: object }).variables);
  return { context, requests, inputs };
}

const failure = (category: 'INVALID' | 'NOT_FOUND' | 'AUTH' | 'NETWORK', isAmbiguous = false) =>
  new ProviderFailure({ category, code: 'x', message: 'x', isAmbiguous });
const refused = (code: string) => ({ details: { category: 'INVALID', code } });

const nodes = (...found: readonly object[]) => ({ nodes: found });
const known = (more: object = {}) => ({
  teams: nodes({ id: 'team-1' }),
  issueLabels: nodes(),
  users: nodes(),
  ...more,
});
const issue = { id: 'issue-1', identifier: 'ENG-7', url: 'https://linear.app/x/issue/ENG-7' };
const outcome = { externalId: 'issue-1', url: issue.url, output: { identifier: 'ENG-7', url: issue.url } };

describe('our id', () => {
  it('is a UUID v4 in form, and one for each action', () => {
    const of = (actionId: string) => ownId({ ...scripted().context, actionId });
    expect(of('act_1')).toMatch(UUID_V4);
    expect(of('act_1')).toBe(of('act_1'));
    expect(new Set(['act_1', 'act_2', 'act_3'].map(of)).size).toBe(3);
  });
});

describe('createIssue', () => {
  const input = { project: 'ENG', title: 'Off by a cent' };

  it('names everything by its id', async () => {
    const found = known({
      issueLabels: nodes({ id: 'label-2', name: 'b' }, { id: 'label-1', name: 'a' }),
      users: nodes({ id: 'user-1' }),
    });
    const { context, inputs } = scripted(found, { issueCreate: { success: true, issue } });
    const full = { ...input, body: '**Since** Monday.', labels: ['a', 'b'], assignees: ['ada'] };
    expect(await createIssue.execute(context, full)).toEqual(outcome);
    expect(inputs()).toEqual([
      { key: 'ENG', labels: ['a', 'b'], person: 'ada' },
      {
        input: {
          id: ownId(context),
          teamId: 'team-1',
          title: 'Off by a cent',
          description: '**Since** Monday.',
          labelIds: ['label-1', 'label-2'],
          assigneeId: 'user-1',
        },
      },
    ]);
  });

  it('takes an id for a person as it is', async () => {
    const { context, inputs } = scripted(known(), { issueCreate: { issue } });
    await createIssue.execute(context, { ...input, assignees: [PERSON] });
    expect(inputs()).toMatchObject([{ person: '' }, { input: { assigneeId: PERSON } }]);
  });

  it.each([
    ['unknown_team', known({ teams: nodes() }), {}],
    ['unknown_team', known({ teams: nodes({ id: 'a' }, { id: 'b' }) }), {}],
    ['unknown_label', known({ issueLabels: nodes({ id: 'x', name: 'A' }) }), { labels: ['a'] }],
    ['unknown_user', known(), { assignees: ['nobody'] }],
    ['unknown_user', known({ users: nodes({ id: 'a' }, { id: 'b' }) }), { assignees: ['ada'] }],
    ['one_assignee', known(), { assignees: ['ada', 'bob'] }],
    ['unsupported_type', known(), { issueType: 'Bug' }],
  ])('is refused as %s before anything is made', async (code, found, more) => {
    const { context, requests } = scripted(found);
    await expect(createIssue.execute(context, { ...input, ...more })).rejects.toMatchObject(refused(code));
    expect(requests.length).toBeLessThan(2);
  });

  it('that was made by an earlier attempt is found by its id', async () => {
    const { context, inputs } = scripted(known(), failure('INVALID'), { issue });
    expect(await createIssue.execute(context, input)).toEqual(outcome);
    expect(inputs()[2]).toEqual({ id: ownId(context) });
  });

  it.each(['INVALID', 'NOT_FOUND'] as const)(
    'that was refused for what it is stays refused, also where the look for it ends in %s',
    async (category) => {
      const first = failure('INVALID');
      const { context } = scripted(known(), first, failure(category));
      await expect(createIssue.execute(context, input)).rejects.toBe(first);
    },
  );

  it('is not known to be missing where nobody may look', async () => {
    const { context } = scripted(known(), failure('INVALID'), failure('AUTH'));
    const attempt = createIssue.execute(context, input);
    await expect(attempt).rejects.toMatchObject({ details: { category: 'AUTH' } });
  });

  it.each([failure('NETWORK', true), failure('AUTH')])('is not looked for after %o', async (first) => {
    const { context, requests } = scripted(known(), first);
    await expect(createIssue.execute(context, input)).rejects.toBe(first);
    expect(requests).toHaveLength(2);
  });
});

describe('updateIssue', () => {
  const done = { issueUpdate: { success: true, issue } };

  it('sends what was given, and nothing else', async () => {
    const { context, inputs } = scripted(done);
    expect(await updateIssue.execute(context, { issue: 'eng-7', title: 'T' })).toEqual(outcome);
    expect(inputs()).toEqual([{ issue: 'ENG-7', input: { title: 'T' } }]);
  });

  it('finds the status among those of the issue’s team', async () => {
    const states = { issue: { id: 'issue-1', team: { key: 'ENG', states: nodes({ id: 'state-3' }) } } };
    const { context, inputs } = scripted(states, done);
    await updateIssue.execute(context, { project: 'ENG', issue: '7', status: 'done' });
    expect(inputs()).toEqual([
      { issue: 'ENG-7', status: 'done' },
      { issue: 'ENG-7', input: { stateId: 'state-3' } },
    ]);
    const none = scripted({ issue: { id: 'issue-1', team: { key: 'ENG', states: nodes() } } });
    const attempt = updateIssue.execute(none.context, { issue: 'ENG-7', status: 'gone' });
    await expect(attempt).rejects.toMatchObject(refused('invalid_status'));
  });

  it('takes assignee and labels away', async () => {
    const { context, inputs } = scripted(known(), done);
    await updateIssue.execute(context, { issue: 'ENG-7', assignees: [], labels: [] });
    expect(inputs()[1]).toEqual({ issue: 'ENG-7', input: { labelIds: [], assigneeId: null } });
  });

  it.each(['', '7', 'ENG', 'ENG-0', 'ENG-7/x', 'https://linear.app/x'])(
    'asks nothing about an issue called %j',
    async (name) => {
      const { context, requests } = scripted();
      const attempt = updateIssue.execute(context, { issue: name, title: 'T' });
      await expect(attempt).rejects.toMatchObject(refused('invalid_issue'));
      expect(requests).toEqual([]);
    },
  );
});

describe('addIssueComment', () => {
  const comment = { id: 'comment-1', url: `${issue.url}#comment-1` };
  const commented = { externalId: 'comment-1', url: comment.url, output: { url: comment.url } };

  it('is made under our id, without a marker', async () => {
    const { context, inputs } = scripted({ commentCreate: { success: true, comment } });
    expect(await addIssueComment.execute(context, { issue: 'ENG-7', body: 'Hm.' })).toEqual(commented);
    expect(inputs()).toEqual([{ input: { id: ownId(context), issueId: 'ENG-7', body: 'Hm.' } }]);
  });

  it('is found by it', async () => {
    const { context } = scripted(failure('INVALID'), { comment });
    expect(await addIssueComment.execute(context, { issue: 'ENG-7', body: 'Hm.' })).toEqual(commented);
  });
});
