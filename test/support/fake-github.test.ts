import { Octokit } from '@octokit/rest';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/core/clock.js';
import { HEAD_SHA, startFakeGitHub } from './fake-github.js';

/** GitHub's own client: it takes the fake for GitHub, or the fake is none. */
async function connect() {
  const fake = await startFakeGitHub(systemClock);
  onTestFinished(() => fake.provider.close());
  const log = { debug() {}, info() {}, warn: console.warn, error() {} };
  const octokit = new Octokit({ baseUrl: fake.provider.url, auth: fake.token, log });
  return { fake, octokit, demo: { owner: 'octo', repo: 'demo' } };
}

describe('the fake GitHub, as Octokit sees it', () => {
  it('tells who we are', async () => {
    const { octokit } = await connect();
    const { data, headers } = await octokit.users.getAuthenticated();
    expect(data.login).toBeTruthy();
    expect(headers['x-oauth-scopes']).toContain('repo');
  });

  it('makes, changes and lists issues and comments', async () => {
    const { octokit, demo } = await connect();
    const { data: issue } = await octokit.issues.create({ ...demo, title: 'Broken', labels: ['bug'] });
    const at = { ...demo, issue_number: issue.number };
    await octokit.issues.createComment({ ...at, body: 'Seen.' });
    await octokit.issues.update({ ...at, state: 'closed', state_reason: 'completed' });
    const { data: closed } = await octokit.issues.get(at);
    expect(closed).toMatchObject({ title: 'Broken', state: 'closed', state_reason: 'completed' });
    const comments = await octokit.paginate(octokit.issues.listComments, at);
    expect(comments.map(({ body }) => body)).toEqual(['Seen.']);
  });

  it('pages by the links that Octokit follows', async () => {
    const { fake, octokit, demo } = await connect();
    fake.crowd();
    const wanted = { ...demo, state: 'all', per_page: 30 } as const;
    const { data: first, headers } = await octokit.issues.listForRepo(wanted);
    const all = await octokit.paginate(octokit.issues.listForRepo, wanted);
    expect(first).toHaveLength(30);
    expect(headers.link).toContain('rel="next"');
    expect(all.length).toBeGreaterThan(30);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  it('keeps a commit’s statuses', async () => {
    const { octokit, demo } = await connect();
    await octokit.repos.createCommitStatus({ ...demo, sha: HEAD_SHA, state: 'success', context: 'ci' });
    const { data } = await octokit.repos.listCommitStatusesForRef({ ...demo, ref: HEAD_SHA });
    expect(data[0]).toMatchObject({ state: 'success', context: 'ci' });
  });

  it('registers, lists and removes hooks', async () => {
    const { octokit, demo } = await connect();
    const config = { url: 'https://tributary.example/hook', content_type: 'json', secret: 'of the test' };
    const { data: hook } = await octokit.repos.createWebhook({ ...demo, events: ['push'], config });
    const { data: hooks } = await octokit.repos.listWebhooks(demo);
    expect(hooks).toMatchObject([{ id: hook.id, events: ['push'], config: { url: config.url } }]);
    await octokit.repos.deleteWebhook({ ...demo, hook_id: hook.id });
    expect((await octokit.repos.listWebhooks(demo)).data).toEqual([]);
  });

  it('refuses as GitHub does', async () => {
    const { fake, octokit, demo } = await connect();
    await expect(octokit.issues.get({ ...demo, issue_number: 9999 })).rejects.toMatchObject({ status: 404 });
    const stranger = new Octokit({ baseUrl: fake.provider.url, auth: 'wrong' });
    await expect(stranger.users.getAuthenticated()).rejects.toMatchObject({ status: 401 });
  });
});
