import { createCloudClient } from 'jira.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { toAdf } from '../../connectors/jira/adf.js';
import { CLOUD_ID, EMAIL, document, startFakeJira } from './fake-jira.js';

/** A client that others trust, which holds what it is answered against Jira's own description. */
async function connect() {
  const fake = await startFakeJira({ now: () => new Date('2026-11-21T12:00:00.750Z') });
  onTestFinished(() => fake.provider.close());
  const auth = { type: 'basic', email: EMAIL, apiToken: fake.apiToken } as const;
  return { fake, client: createCloudClient({ host: fake.provider.url, auth }) };
}

describe('the fake Jira, as jira.js sees it', () => {
  it('answers what Jira would', async () => {
    const { fake, client } = await connect();
    expect(await client.myself.getCurrentUser()).toMatchObject({ displayName: 'Ada' });

    const description = { ...toAdf('# Why\n\n- **it** is `broken`\n\n> see [there](https://x.test)') };
    const fields = { project: { key: 'SHOP' }, issuetype: { name: 'Task' }, summary: 'One', description };
    const { key } = await client.issues.createIssue({ fields });
    expect(key).toBe('SHOP-2');
    await client.issues.editIssue({ issueIdOrKey: 'SHOP-2', fields: { summary: 'Two' } });
    const { transitions = [] } = await client.issues.getTransitions({ issueIdOrKey: 'SHOP-2' });
    const done = transitions.find(({ to }) => to?.name === 'Done');
    await client.issues.doTransition({ issueIdOrKey: 'SHOP-2', transition: { id: done?.id ?? '' } });
    expect(fake.shop.find('SHOP-2')?.fields).toMatchObject({ summary: 'Two', status: { name: 'Done' } });

    await client.issueComments.addComment({ issueIdOrKey: 'SHOP-2', body: document('Noted.') });
    const { comments = [] } = await client.issueComments.getComments({ issueIdOrKey: 'SHOP-2' });
    expect(comments).toHaveLength(1);

    const { issues = [], isLast } = await client.issueSearch.searchAndReconsileIssuesUsingJql({
      jql: 'project = "SHOP" AND creator = currentUser() ORDER BY created DESC',
      fields: ['summary', 'created'],
      expand: 'changelog',
    });
    expect([issues.map((issue) => issue.key), isLast]).toEqual([['SHOP-2'], true]);
  });

  it('lets an app register webhooks that end', async () => {
    const { fake } = await connect();
    const host = `${fake.provider.url}/ex/jira/${CLOUD_ID}`;
    const client = createCloudClient({ host, auth: { type: 'bearer', token: fake.accessToken } });
    const hook = { events: ['comment_created' as const], jqlFilter: 'project = SHOP' };
    const url = 'https://tributary.example/app';
    const made = await client.webhooks.registerDynamicWebhooks({ url, webhooks: [hook] });
    const id = made.webhookRegistrationResult?.[0]?.createdWebhookId ?? 0;
    expect((await client.webhooks.getDynamicWebhooksForApp({})).values).toMatchObject([{ id, ...hook }]);
    const { expirationDate } = await client.webhooks.refreshWebhooks({ webhookIds: [id] });
    expect(new Date(expirationDate).toISOString()).toBe('2026-12-21T12:00:00.750Z');
    const another = { url: 'https://other.example/app', webhooks: [hook] };
    const [refused] =
      (await client.webhooks.registerDynamicWebhooks(another)).webhookRegistrationResult ?? [];
    expect(refused?.errors?.[0]).toContain('single URL');
    await client.webhooks.deleteWebhookById({ webhookIds: [id] });
    expect(fake.dynamic.all).toEqual([]);
  });
});
